/* show_info.c - m31r info: one fact a line. */
#include <stdio.h>
#include <string.h>

#include "m31r/info.h"
#include "m31r/json.h"
#include "show/table.h"

typedef struct info_view {
    m31r_json *json;
    m31ri_table *table;
    char group[32];
} info_view;

static void add_json(void *context, const m31r_info_fact *fact)
{
    info_view *view = context;
    if (strcmp(view->group, fact->group) != 0) {
        if (view->group[0] != '\0') {
            m31r_json_close(view->json);
        }
        m31r_json_open(view->json, fact->group, '{');
        snprintf(view->group, sizeof view->group, "%s", fact->group);
    }
    m31r_json_add_text(view->json, fact->name, fact->value);
}

static void add_row(void *context, const m31r_info_fact *fact)
{
    info_view *view = context;
    m31ri_table_add(view->table, strcmp(view->group, fact->group) != 0 ? fact->group : "",
                    M31RI_DIM);
    m31ri_table_add(view->table, fact->name, M31RI_PLAIN);
    m31ri_table_add(view->table, fact->value, M31RI_BOLD);
    snprintf(view->group, sizeof view->group, "%s", fact->group);
}

m31r_err m31r_show_info(const m31r_screen *s, m31r_error *e)
{
    static const m31ri_column columns[] = {
        {"WHAT", false, 0}, {"NAME", false, 0}, {"VALUE", false, 0}};
    info_view view = {0};
    if (s->is_json) {
        view.json = m31r_json_new("info");
        m31r_info_each(add_json, &view);
        return m31r_json_write(view.json, s->out, e);
    }
    view.table = m31ri_table_new(columns, 3);
    m31r_info_each(add_row, &view);
    m31ri_table_write(view.table, s);
    m31ri_table_free(view.table);
    return M31R_OK;
}
