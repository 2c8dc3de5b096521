/* seal_key.c - see seal_key.h and m31r/key.h.
 *
 * The secret key is read when it is used, and wiped from memory after that.
 */
#include "format/seal_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ed25519.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/timestamp.h"

#define KEY_FILE "key"
#define LIST_FILE "keys"
#define KEY_BYTES_MOST 4096
#define LIST_BYTES_MOST (1024 * 1024)

static m31r_err place(m31ri_buf *out, m31r_error *e)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    const char *below = "/m31r";
    if (base == NULL || base[0] != '/') {
        base = getenv("HOME");
        below = "/.config/m31r";
    }
    if (base == NULL || base[0] != '/') {
        return m31ri_fail(e, M31R_E_NOTFOUND,
                          "no place for a key: neither XDG_CONFIG_HOME nor HOME is an absolute "
                          "path");
    }
    m31ri_buf_add_str(out, base);
    m31ri_buf_add_str(out, below);
    return m31ri_buf_ok(out) ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
}

/* The directory of the key; -1 and M31R_E_NOTFOUND when there is none. */
static m31r_err open_place(m31r_key *key, int *out, m31r_error *e)
{
    m31ri_buf path = M31RI_BUF_INIT;
    m31r_err err = place(&path, e);
    *out = err == M31R_OK ? m31ri_open_dir(AT_FDCWD, path.data, true) : -1;
    if (err == M31R_OK && *out < 0) {
        err = m31ri_fail_sys(e, errno, path.data, "opening %s", path.data);
    }
    if (err == M31R_OK) {
        snprintf(key->path, sizeof key->path, "%s/" KEY_FILE, path.data);
    }
    m31ri_buf_release(&path);
    return err;
}

static m31r_err check_file(int fd, const char *path, m31r_error *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return m31ri_fail(e, M31R_E_CONFIG, "%s is no regular file", path);
    }
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        m31ri_fail(e, M31R_E_CONFIG, "%s: %s, so nothing is signed with it", path,
                   st.st_uid != geteuid() ? "it belongs to another user" : "others may use it");
        m31ri_fail_hint(e, "chmod 600 %s", path);
        return M31R_E_CONFIG;
    }
    return M31R_OK;
}

/* The secret key. */
static m31r_err read_secret(m31r_key *key, uint8_t secret[M31RI_KEY_BYTES], m31r_error *e)
{
    int dir;
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = open_place(key, &dir, e);
    if (err != M31R_OK) {
        return err;
    }
    int fd = m31ri_open(dir, KEY_FILE, O_RDONLY | O_NONBLOCK, 0);
    err = fd >= 0 ? check_file(fd, key->path, e)
                  : m31ri_fail_sys(e, errno, key->path, "opening %s", key->path);
    err = err == M31R_OK ? m31ri_read_fd(fd, KEY_BYTES_MOST, &text, e) : err;
    if (err == M31R_OK && !m31ri_ed25519_pem_read(m31ri_buf_str(&text), text.length, secret)) {
        err = m31ri_fail(e, M31R_E_CONFIG, "%s is no Ed25519 key without a passphrase", key->path);
    }
    if (text.data != NULL) {
        m31ri_wipe(text.data, text.length);
    }
    m31ri_buf_release(&text);
    if (fd >= 0) {
        close(fd);
    }
    close(dir);
    return err;
}

static void write_public(const uint8_t secret[M31RI_KEY_BYTES], char out[M31RI_SHA256_HEX])
{
    uint8_t public[M31RI_KEY_BYTES];
    m31ri_ed25519_public(secret, public);
    m31ri_sha256_hex(public, out); /* a key has as many bytes as a digest */
}

bool m31ri_seal_sign(m31ri_seal *s)
{
    m31r_key key;
    uint8_t secret[M31RI_KEY_BYTES], signature[M31RI_SIGNATURE_BYTES];
    m31ri_buf text = M31RI_BUF_INIT;
    s->key[0] = '\0';
    if (read_secret(&key, secret, NULL) == M31R_OK) {
        write_public(secret, s->key);
    }
    m31ri_seal_statement(s, &text);
    if (s->key[0] != '\0' && m31ri_buf_ok(&text)) {
        m31ri_ed25519_sign(secret, text.data, text.length, signature);
        m31ri_sha256_hex(signature, s->signature);
        m31ri_sha256_hex(signature + M31RI_SHA256_BYTES, s->signature + 64);
    }
    m31ri_wipe(secret, sizeof secret);
    bool is_fine = m31ri_buf_ok(&text) && m31ri_seal_set_digest(s);
    m31ri_buf_release(&text);
    return is_fine;
}

m31ri_signature m31ri_seal_signature(const m31ri_seal *s)
{
    uint8_t key[M31RI_KEY_BYTES], signature[M31RI_SIGNATURE_BYTES];
    char half[M31RI_SHA256_HEX];
    m31ri_buf text = M31RI_BUF_INIT;
    if (s->key[0] == '\0' && s->signature[0] == '\0') {
        return M31RI_UNSIGNED;
    }
    snprintf(half, sizeof half, "%.64s", s->signature);
    m31ri_seal_statement(s, &text);
    bool holds = m31ri_buf_ok(&text) && strlen(s->signature) == 128 &&
                 m31ri_sha256_unhex(s->key, key) && m31ri_sha256_unhex(half, signature) &&
                 m31ri_sha256_unhex(s->signature + 64, signature + M31RI_SHA256_BYTES) &&
                 m31ri_ed25519_holds(key, text.data, text.length, signature);
    m31ri_buf_release(&text);
    return holds ? M31RI_SIGNED : M31RI_BAD_SIGNATURE;
}

bool m31ri_key_made(const char *public_key, char out[28])
{
    m31r_key key;
    int dir;
    m31ri_buf text = M31RI_BUF_INIT;
    bool is_found = false;
    if (strlen(public_key) != 64 || open_place(&key, &dir, NULL) != M31R_OK) {
        return false;
    }
    if (m31ri_read_file(dir, LIST_FILE, LIST_BYTES_MOST, &text, NULL) == M31R_OK) {
        const char *at = strstr(m31ri_buf_str(&text), public_key);
        is_found = at != NULL && strlen(at) >= 64 + 1 + 27 && at[64] == ' ';
        if (is_found) {
            snprintf(out, 28, "%.27s", at + 65);
        }
    }
    m31ri_buf_release(&text);
    close(dir);
    return is_found;
}

m31r_err m31r_key_show(m31r_key *out, m31r_error *e)
{
    uint8_t secret[M31RI_KEY_BYTES];
    m31r_key key = {.made = ""};
    m31r_err err = read_secret(&key, secret, e);
    if (err == M31R_E_NOTFOUND) {
        m31ri_fail_hint(e, "m31r key new makes one; nothing requires it");
    }
    if (err == M31R_OK) {
        write_public(secret, key.public_key);
    }
    m31ri_wipe(secret, sizeof secret);
    if (err == M31R_OK) {
        m31ri_key_made(key.public_key, key.made);
        *out = key;
    }
    return err;
}

/* Enters it in the list first: a key that signs is never unknown here. */
static m31r_err list_key(int dir, const m31r_key *key, m31r_error *e)
{
    char line[100];
    int n = snprintf(line, sizeof line, "%s %s\n", key->public_key, key->made);
    int fd = m31ri_open(dir, LIST_FILE, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0600);
    int err = fd >= 0 ? m31ri_write_all(fd, line, (size_t)n, NULL) : errno;
    if (fd >= 0) {
        close(fd);
    }
    return err == 0 ? M31R_OK : m31ri_fail_sys(e, err, LIST_FILE, "writing the list of keys");
}

static m31r_err write_key(int dir, const uint8_t secret[M31RI_KEY_BYTES], const m31r_key *key,
                          m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    int err = ENOMEM, fd = -1;
    if (m31ri_ed25519_pem_write(secret, &text)) {
        fd = m31ri_open(dir, KEY_FILE, O_WRONLY | O_CREAT | O_EXCL, 0600);
        err = fd >= 0 ? m31ri_write_all(fd, text.data, text.length, NULL) : errno;
        err = err == 0 && fsync(fd) != 0 ? errno : err;
    }
    if (text.data != NULL) {
        m31ri_wipe(text.data, text.length);
    }
    m31ri_buf_release(&text);
    if (fd >= 0) {
        close(fd);
    }
    if (err == EEXIST) {
        m31ri_fail(e, M31R_E_EXISTS, "%s is there", key->path);
        m31ri_fail_hint(e, "m31r key show says which; m31r key new --yes puts it aside");
        return M31R_E_EXISTS;
    }
    return err == 0 ? M31R_OK : m31ri_fail_sys(e, err, key->path, "writing %s", key->path);
}

static m31r_err put_aside(int dir, m31r_key *key, m31r_error *e)
{
    char name[64];
    snprintf(name, sizeof name, KEY_FILE ".before.%s", key->made);
    if (renameat(dir, KEY_FILE, dir, name) == 0) {
        snprintf(key->kept, sizeof key->kept, "%.500s.before.%s", key->path, key->made);
        return M31R_OK;
    }
    return errno == ENOENT ? M31R_OK
                           : m31ri_fail_sys(e, errno, key->path, "putting %s aside", key->path);
}

m31r_err m31r_key_new(bool replace, m31r_key *out, m31r_error *e)
{
    uint8_t secret[M31RI_KEY_BYTES];
    struct stat st;
    m31r_key key = {.made = ""};
    m31ri_buf path = M31RI_BUF_INIT;
    int dir = -1;
    m31r_err err = place(&path, e);
    err = err == M31R_OK ? m31ri_make_dirs(path.data, e) : err;
    m31ri_buf_release(&path);
    err = err == M31R_OK ? open_place(&key, &dir, e) : err;
    if (err == M31R_OK && !replace && fstatat(dir, KEY_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        err = m31ri_fail(e, M31R_E_EXISTS, "%s is there", key.path);
        m31ri_fail_hint(e, "m31r key show says which; m31r key new --yes puts it aside");
    }
    m31ri_timestamp_write(m31ri_wall_ns(), key.made);
    if (err == M31R_OK && !m31ri_ed25519_new(secret)) {
        err = m31ri_fail(e, M31R_E_IO, "the system gave no random numbers");
    }
    if (err == M31R_OK) {
        write_public(secret, key.public_key);
    }
    err = err == M31R_OK && replace ? put_aside(dir, &key, e) : err;
    err = err == M31R_OK ? list_key(dir, &key, e) : err;
    err = err == M31R_OK ? write_key(dir, secret, &key, e) : err;
    m31ri_wipe(secret, sizeof secret);
    if (dir >= 0) {
        close(dir);
    }
    if (err == M31R_OK) {
        *out = key;
    }
    return err;
}
