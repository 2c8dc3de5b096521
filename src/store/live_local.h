/* live_local.h - a local directory for the `.live` of a run on a network file system. */
#ifndef M31RI_LIVE_LOCAL_H
#define M31RI_LIVE_LOCAL_H

/* Makes a directory of its own for the run below /tmp/m31r-<uid>, or, where that cannot be had,
 * below $XDG_RUNTIME_DIR/m31r (which goes when its user logs out, perhaps before the run ends).
 * `*out_path` is for m31ri_free. 0 or errno. */
int m31ri_live_local_make(const char *run_id, char **out_path);

#endif
