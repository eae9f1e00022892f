/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify(3) and the watchdog, when the service manager asks for them. */
#include "keeper/internal.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

void notify_state(const char *text)
{
#ifdef HAVE_SYSTEMD
	sd_notify(0, text);
#else
	(void)text;
#endif
}

int64_t notify_watchdog_us(void)
{
#ifdef HAVE_SYSTEMD
	uint64_t us;

	if (sd_watchdog_enabled(0, &us) > 0)
		return (int64_t)us;
#endif
	return 0;
}
