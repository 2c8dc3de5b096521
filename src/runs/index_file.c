/* index_file.c - index_file.h: where it is, its version, its tables.
 *
 * Rollback journal, short transactions, a short wait for other processes: a reader or writer that
 * does not get its turn goes without.
 */
#include "runs/index_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/os_file.h"
#include "base/sha256.h"

#define VERSION 4 /* also change: the pragma in open_at() */
#define WAIT_MS 100

/* Where the database is; makes the directory. False when there is no place, or none is wanted
 * (M31R_NO_CACHE). */
static bool find_place(m31ri_buf *out)
{
    const char *off = getenv("M31R_NO_CACHE");
    if (off != NULL && off[0] != '\0') {
        return false;
    }
    const char *base = getenv("XDG_CACHE_HOME");
    const char *below = "/m31r";
    if (base == NULL || base[0] != '/') {
        base = getenv("HOME");
        below = "/.cache/m31r";
    }
    if (base == NULL || base[0] != '/') {
        return false;
    }
    m31ri_buf_add_format(out, "%s%s", base, below);
    if (!m31ri_buf_ok(out)) {
        return false;
    }
    (void)m31ri_make_dirs(out->data, NULL); /* it may be there and read-only */
    m31ri_buf_add_str(out, "/runs.sqlite");
    return m31ri_buf_ok(out);
}

static bool is_version(sqlite3 *db)
{
    sqlite3_stmt *s = NULL;
    bool is_ours = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
                   sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int(s, 0) == VERSION;
    sqlite3_finalize(s);
    return is_ours;
}

bool m31ri_index_file_is_ruined(int rc)
{
    return rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT;
}

/* Opens the file, with its tables; `*rc` says why not. */
static sqlite3 *open_at(const char *path, int *rc)
{
    static const char *const make =
        "BEGIN IMMEDIATE; DROP TABLE IF EXISTS pieces; DROP TABLE IF EXISTS links; CREATE TABLE "
        "pieces(root TEXT NOT NULL, run TEXT NOT NULL, piece INTEGER NOT NULL, content BLOB NOT "
        "NULL, UNIQUE(root, run, piece)); CREATE TABLE links(root TEXT NOT NULL, part TEXT NOT "
        "NULL, content BLOB NOT NULL, UNIQUE(root, part)); PRAGMA user_version=4; COMMIT";
    sqlite3 *db = NULL;
    *rc = sqlite3_open_v2(path, &db,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (*rc == SQLITE_OK) {
        sqlite3_busy_timeout(db, WAIT_MS);
        *rc = sqlite3_exec(db, "PRAGMA synchronous=NORMAL; SELECT 1 FROM sqlite_master", NULL, NULL,
                           NULL);
    }
    if (*rc == SQLITE_OK && !is_version(db)) {
        *rc = sqlite3_exec(db, make, NULL, NULL, NULL);
    }
    if (*rc != SQLITE_OK) {
        sqlite3_close(db);
        return NULL;
    }
    return db;
}

sqlite3 *m31ri_index_file_renew(sqlite3 *db, const char **out_note)
{
    m31ri_buf path = M31RI_BUF_INIT;
    int rc;
    sqlite3_close(db);
    db = NULL;
    if (find_place(&path)) {
        *out_note = "the index of runs in the cache was damaged; it is made anew";
        unlink(path.data);
        db = open_at(path.data, &rc);
    }
    m31ri_buf_release(&path);
    return db;
}

sqlite3 *m31ri_index_file_open(const char **out_note)
{
    m31ri_buf path = M31RI_BUF_INIT;
    int rc = SQLITE_OK;
    *out_note = "";
    sqlite3 *db = find_place(&path) ? open_at(path.data, &rc) : NULL;
    m31ri_buf_release(&path);
    return m31ri_index_file_is_ruined(rc) ? m31ri_index_file_renew(NULL, out_note) : db;
}

void m31ri_index_file_check(const char *root, const char *key, const void *rest, size_t length,
                            uint8_t out[M31RI_INDEX_CHECK_BYTES])
{
    uint8_t digest[M31RI_SHA256_BYTES] = {0};
    m31ri_sha256 *h = m31ri_sha256_new();
    if (h != NULL) {
        m31ri_sha256_add(h, root, strlen(root) + 1);
        m31ri_sha256_add(h, key, strlen(key) + 1);
        m31ri_sha256_add(h, rest, length);
        m31ri_sha256_end(h, digest);
        m31ri_sha256_free(h);
    }
    memcpy(out, digest, M31RI_INDEX_CHECK_BYTES);
}

void m31ri_index_file_forget_roots(sqlite3 *db, const char *table)
{
    sqlite3_stmt *s = NULL;
    sqlite3_stmt *forget = NULL;
    char list[80];
    char drop[80];
    snprintf(list, sizeof list, "SELECT DISTINCT root FROM %s", table);
    snprintf(drop, sizeof drop, "DELETE FROM %s WHERE root=?1", table);
    if (sqlite3_prepare_v2(db, list, -1, &s, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, drop, -1, &forget, NULL) == SQLITE_OK) {
        while (sqlite3_step(s) == SQLITE_ROW) {
            const char *root = (const char *)sqlite3_column_text(s, 0);
            if (root != NULL && access(root, F_OK) != 0) {
                sqlite3_bind_text(forget, 1, root, -1, SQLITE_TRANSIENT);
                sqlite3_step(forget);
                sqlite3_reset(forget);
            }
        }
    }
    sqlite3_finalize(s);
    sqlite3_finalize(forget);
}
