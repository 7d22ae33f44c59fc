#ifndef OVERLAY_AUTOSTART_H
#define OVERLAY_AUTOSTART_H

#include "filter.h"

/*
 * Starts `overlay_ctl agent --autostart` for `volumes` and waits until it serves (or has failed): 0 or -errno. The program
 * must not notice: no exit signal, nothing for its wait(), another session and process group.
 */
long autostart_agent(const char *overlay_ctl, const char *volumes, const char *key_file) HIDDEN;

#endif
