/* commands.c - the list of commands, in the order of the help. A new command is one file
 * cmd_<name>.c and two lines here. */
#include <stddef.h>
#include <string.h>

#include "command.h"

extern const command command_help;

const command *const all_commands[] = {
    &command_help,
    NULL,
};

const command *command_find(const char *name)
{
    for (size_t i = 0; all_commands[i] != NULL; i++) {
        if (strcmp(all_commands[i]->name, name) == 0) {
            return all_commands[i];
        }
    }
    return NULL;
}
