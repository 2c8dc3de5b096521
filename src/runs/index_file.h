/* index_file.h - the SQLite file in the user's cache that the indices of runs share.
 *
 * $XDG_CACHE_HOME/m31r/runs.sqlite, else ~/.cache/m31r. It has two tables: `pieces` (run_index.h)
 * and `links` (link_set.h). Each content begins with 8 bytes of SHA-256 over all behind them and
 * its key, so a page that rotted is no answer.
 */
#ifndef M31RI_INDEX_FILE_H
#define M31RI_INDEX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#define M31RI_INDEX_CHECK_BYTES 8

/* Opens the file; makes it, and makes it anew when it is of another version or no database.
 * `*out_note` then is a sentence when that is worth telling, else "". NULL when there is no place
 * for it, or it cannot be used now. Closed with sqlite3_close(). */
sqlite3 *m31ri_index_file_open(const char **out_note);

/* Removes a file that was found to be damaged and closes it; the new one, or NULL. */
sqlite3 *m31ri_index_file_renew(sqlite3 *db, const char **out_note);

/* What SQLite says when the file can never become useful. */
bool m31ri_index_file_is_ruined(int rc);

/* The check of a content: `root` and `key` are its key, `rest` what follows the check. */
void m31ri_index_file_check(const char *root, const char *key, const void *rest, size_t length,
                            uint8_t out[M31RI_INDEX_CHECK_BYTES]);

/* Forgets roots that are gone, in a table of the file: a cache does not grow for ever. */
void m31ri_index_file_forget_roots(sqlite3 *db, const char *table);

#endif
