/* commands.c - the list of commands, in the order of the help. A new command is one file
 * cmd_<name>.c and two lines here. */
#include <stddef.h>
#include <string.h>

#include "command.h"

extern const command command_anomalies;
extern const command command_archive;
extern const command command_clean;
extern const command command_compare;
extern const command command_completion;
extern const command command_diff;
extern const command command_explain;
extern const command command_export;
extern const command command_help;
extern const command command_info;
extern const command command_init;
extern const command command_key;
extern const command command_lineage;
extern const command command_log;
extern const command command_logs;
extern const command command_metric;
extern const command command_metrics;
extern const command command_note;
extern const command command_recover;
extern const command command_release;
extern const command command_redact;
extern const command command_reproduce;
extern const command command_rm;
extern const command command_run;
extern const command command_runs;
extern const command command_show;
extern const command command_tag;
extern const command command_trend;
extern const command command_verify;

/* clang-format off */
const command *const all_commands[] = {
    &command_init,
    &command_run,
    &command_runs,
    &command_show,
    &command_logs,
    &command_metrics,
    &command_compare,
    &command_diff,
    &command_explain,
    &command_anomalies,
    &command_trend,
    &command_export,
    &command_lineage,
    &command_note,
    &command_tag,
    &command_release,
    &command_log,
    &command_metric,
    &command_verify,
    &command_redact,
    &command_reproduce,
    &command_key,
    &command_recover,
    &command_archive,
    &command_rm,
    &command_clean,
    &command_info,
    &command_completion,
    &command_help,
    NULL,
};
/* clang-format on */

const command *command_find(const char *name)
{
    for (size_t i = 0; all_commands[i] != NULL; i++) {
        if (strcmp(all_commands[i]->name, name) == 0) {
            return all_commands[i];
        }
    }
    return NULL;
}
