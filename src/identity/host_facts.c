/* host_facts.c - the host as metadata.json describes it: null for what is not known. */
#include "base/os_host.h"
#include "identity/identity_int.h"

static void set_text(json_t *o, const char *key, const char *text)
{
    json_object_set_new(o, key, text[0] != '\0' ? json_string(text) : json_null());
}

static void set_number(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, n != 0 ? json_integer((json_int_t)n) : json_null());
}

json_t *m31ri_host_facts(void)
{
    m31ri_host h;
    m31ri_host_read(&h);
    json_t *o = json_object();
    set_text(o, "name", h.name);
    set_text(o, "os", h.os);
    set_text(o, "kernel", h.kernel);
    set_text(o, "arch", h.arch);
    set_text(o, "cpu_model", h.cpu_model);
    set_number(o, "cpus", h.cpus);
    set_number(o, "memory_bytes", h.memory_bytes);
    return o;
}
