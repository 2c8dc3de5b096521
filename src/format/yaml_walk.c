/* yaml_walk.c - finding things in a config that was read.
 *
 * A dotted path splits at every dot, so a key that holds a dot itself is found by m31ri_yaml_get
 * only.
 */
#include <stdio.h>
#include <string.h>

#include "format/yaml.h"

static const m31ri_yaml_node *child(const m31ri_yaml_node *n, const char *key, size_t length)
{
    if (n == NULL || n->type != M31RI_YAML_MAP) {
        return NULL;
    }
    const m31ri_yaml_node *c = n->first;
    while (c != NULL && (strncmp(c->key, key, length) != 0 || c->key[length] != '\0')) {
        c = c->next;
    }
    return c;
}

static const m31ri_yaml_node *item(const m31ri_yaml_node *list, const char *digits, size_t length)
{
    size_t index = 0;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9' || index > M31RI_YAML_NODES) {
            return NULL;
        }
        index = index * 10 + (size_t)(digits[i] - '0');
    }
    const m31ri_yaml_node *c = length != 0 ? list->first : NULL;
    while (c != NULL && index > 0) {
        c = c->next;
        index--;
    }
    return c;
}

const m31ri_yaml_node *m31ri_yaml_get(const m31ri_yaml_node *n, const char *key)
{
    return child(n, key, strlen(key));
}

const m31ri_yaml_node *m31ri_yaml_find(const m31ri_yaml_node *n, const char *dotted)
{
    while (n != NULL) {
        size_t length = strcspn(dotted, ".");
        n = n->type == M31RI_YAML_LIST ? item(n, dotted, length) : child(n, dotted, length);
        if (dotted[length] == '\0') {
            return n;
        }
        dotted += length + 1;
    }
    return NULL;
}

typedef struct walk {
    void (*each)(void *context, const char *dotted, const m31ri_yaml_node *n);
    void *context;
    char dotted[1024]; /* cut beyond: paths are for people and for matching short keys */
} walk;

static void visit(walk *w, size_t used, const m31ri_yaml_node *n)
{
    if (n->type != M31RI_YAML_MAP && n->type != M31RI_YAML_LIST) {
        w->each(w->context, w->dotted, n);
        return;
    }
    size_t index = 0;
    for (const m31ri_yaml_node *c = n->first; c != NULL; c = c->next, index++) {
        const char *dot = used != 0 ? "." : "";
        int more = c->key != NULL
                       ? snprintf(w->dotted + used, sizeof w->dotted - used, "%s%s", dot, c->key)
                       : snprintf(w->dotted + used, sizeof w->dotted - used, "%s%zu", dot, index);
        size_t length = used + (more > 0 ? (size_t)more : 0);
        visit(w, length < sizeof w->dotted ? length : sizeof w->dotted - 1, c);
        w->dotted[used] = '\0';
    }
}

void m31ri_yaml_each_scalar(const m31ri_yaml_node *root,
                            void (*each)(void *context, const char *dotted,
                                         const m31ri_yaml_node *n),
                            void *context)
{
    walk w = {.each = each, .context = context};
    if (root != NULL) {
        visit(&w, 0, root);
    }
}
