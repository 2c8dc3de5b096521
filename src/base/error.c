/* error.c - names and exit codes of m31r_err, and the library's version. */
#include "m31r/error.h"
#include "m31r/version.h"

/* Flat switch: one line a code. */
const char *m31r_err_name(m31r_err code)
{
    switch (code) {
    case M31R_OK:
        return "M31R_OK";
    case M31R_EOF:
        return "M31R_EOF";
    case M31R_E_ARG:
        return "M31R_E_ARG";
    case M31R_E_CONFIG:
        return "M31R_E_CONFIG";
    case M31R_E_IO:
        return "M31R_E_IO";
    case M31R_E_NOMEM:
        return "M31R_E_NOMEM";
    case M31R_E_CORRUPT:
        return "M31R_E_CORRUPT";
    case M31R_E_NOTFOUND:
        return "M31R_E_NOTFOUND";
    case M31R_E_EXISTS:
        return "M31R_E_EXISTS";
    case M31R_E_BUSY:
        return "M31R_E_BUSY";
    case M31R_E_LIMIT:
        return "M31R_E_LIMIT";
    case M31R_E_CLOSED:
        return "M31R_E_CLOSED";
    case M31R_E_INVALID:
        return "M31R_E_INVALID";
    }
    return "M31R_E_?";
}

int m31r_err_exit(m31r_err code)
{
    switch (code) {
    case M31R_OK:
    case M31R_EOF:
        return 0;
    case M31R_E_ARG:
    case M31R_E_NOTFOUND:
    case M31R_E_EXISTS:
        return 1;
    case M31R_E_CONFIG:
        return 2;
    case M31R_E_INVALID:
    case M31R_E_CORRUPT:
        return 4;
    default:
        return 3;
    }
}

const char *m31r_version(void)
{
    return M31R_VERSION;
}
