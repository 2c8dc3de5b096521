/* rank_observe.c - the observer of a rank above 0: it joins the run that rank 0's observer has
 * made.
 *
 * It writes lanes and points of its rank and tells the owner how its program ended; metadata.json,
 * metrics.json and the end of the run are rank 0's.
 */
#include "emit/state.h"

static m31r_err write_rank_start(m31r_run *run)
{
    const m31r_value key = m31r_of_string("rank");
    const m31r_value value = m31r_of_int(run->rank);
    return m31ri_lane_write(run->main_lane, M31R_INFO, "m31r", m31r_of_string("rank_start"), &key,
                            &value, 1);
}

/* The observer's lane first: rank 0's observer shows lanes of ranks that have none. An heir leaves
 * the main lane alone: the program may hold it by now. */
static m31r_err open_lanes(m31r_run *run, bool is_heir, m31r_error *e)
{
    m31r_err err = m31r_lane_open(run, "observer", &run->observer_lane, e);
    if (err == M31R_OK) {
        err = is_heir ? m31ri_lane_new_closed(run, "", &run->main_lane, e)
                      : m31ri_lane_claim_main(run, &run->main_lane, e);
    }
    if (err != M31R_OK) {
        return err;
    }
    run->main_lane->next = run->lanes;
    run->lanes = run->main_lane;
    if (!is_heir) {
        m31ri_lane_announce(run->main_lane, "open");
        m31ri_rank_tell(run, "joined", NULL);
        write_rank_start(run); /* a loss is counted like any other */
        m31ri_lane_give_up_file(run->main_lane);
    }
    return M31R_OK;
}

m31r_err m31ri_run_join_observer(const char *path, bool is_heir, m31r_run **out, m31r_error *e)
{
    m31r_run *run = NULL;
    m31r_err err = m31ri_run_join(path, false, &run, e);
    if (err != M31R_OK) {
        return err;
    }
    err = open_lanes(run, is_heir, e);
    if (err != M31R_OK) {
        m31ri_run_leave(run);
        return err;
    }
    run->is_observer = true;
    *out = run;
    return M31R_OK;
}
