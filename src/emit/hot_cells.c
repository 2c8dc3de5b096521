/* hot_cells.c - pages of cells, and beside them, in ordinary memory, who has which.
 *
 * There are as many cells as threads ever had rings at one time (times the runs they wrote to at
 * one time), so a search from the start is short enough for what happens once a thread.
 */
#include "emit/hot_cells.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os_mapping.h"

#define PAGE_CELLS 64 /* of 64 bytes: the smallest page there is */

typedef struct cell_page {
    struct cell_page *next;
    m31r_hot *cells;
    uint64_t owners[PAGE_CELLS]; /* 0: nobody's */
    bool is_used[PAGE_CELLS];    /* by a ring; else its thread may take it for the next */
} cell_page;

static pthread_mutex_t cells_lock = PTHREAD_MUTEX_INITIALIZER;
static cell_page *pages; /* of the process: threads outlive runs */

static cell_page *add_page(void)
{
    cell_page *page = m31ri_calloc(1, sizeof *page);
    void *cells = page != NULL ? m31ri_mapping_fork_token() : NULL;
    if (cells == NULL) {
        m31ri_free(page);
        return NULL;
    }
    page->cells = cells;
    page->next = pages;
    pages = page;
    return page;
}

static m31r_hot *take_from(cell_page *page, uint64_t owner, uint64_t thread)
{
    for (uint32_t i = 0; i < PAGE_CELLS; i++) {
        if (page->owners[i] == owner && !page->is_used[i]) {
            page->owners[i] = thread;
            page->is_used[i] = true;
            return &page->cells[i];
        }
    }
    return NULL;
}

m31r_hot *m31ri_hot_cell_take(uint64_t thread)
{
    m31r_hot *cell = NULL;
    pthread_mutex_lock(&cells_lock);
    for (cell_page *page = pages; page != NULL && cell == NULL; page = page->next) {
        cell = take_from(page, thread, thread);
    }
    for (cell_page *page = pages; page != NULL && cell == NULL; page = page->next) {
        cell = take_from(page, 0, thread);
    }
    if (cell == NULL && add_page() != NULL) {
        cell = take_from(pages, 0, thread);
    }
    pthread_mutex_unlock(&cells_lock);
    return cell;
}

void m31ri_hot_cell_give(m31r_hot *cell)
{
    pthread_mutex_lock(&cells_lock);
    for (cell_page *page = pages; page != NULL && cell != NULL; page = page->next) {
        if (cell >= page->cells && cell < page->cells + PAGE_CELLS) {
            __atomic_store_n(&cell->pass, 0, __ATOMIC_RELAXED);
            page->is_used[cell - page->cells] = false;
        }
    }
    pthread_mutex_unlock(&cells_lock);
}

void m31ri_hot_cells_leave(uint64_t thread)
{
    pthread_mutex_lock(&cells_lock);
    for (cell_page *page = pages; page != NULL; page = page->next) {
        for (uint32_t i = 0; i < PAGE_CELLS; i++) {
            if (page->owners[i] == thread && !page->is_used[i]) {
                page->owners[i] = 0;
            }
        }
    }
    pthread_mutex_unlock(&cells_lock);
}

void m31ri_hot_cells_lock(void)
{
    pthread_mutex_lock(&cells_lock);
}

void m31ri_hot_cells_unlock(void)
{
    pthread_mutex_unlock(&cells_lock);
}
