/* cmd_completion.c - m31r completion bash: a completion script made from the commands' entries. */
#include <stdio.h>
#include <string.h>

#include "command.h"

static void put_options(const cli_option *table)
{
    for (const cli_option *o = table; o != NULL && o->name != NULL; o++) {
        printf(" --%s", o->name);
    }
}

/* Runs are completed by id and name from `m31r runs`, which is quick enough for that. */
static void put_bash(void)
{
    puts("_m31r() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("        words=\"--version --help", stdout);
    for (size_t i = 0; all_commands[i] != NULL; i++) {
        printf(" %s", all_commands[i]->name);
    }
    puts("\"\n    elif [[ $word == -* ]]; then\n        case $command in");
    for (size_t i = 0; all_commands[i] != NULL; i++) {
        printf("        %s) words=\"", all_commands[i]->name);
        put_options(all_commands[i]->options);
        put_options(common_options);
        puts("\" ;;");
    }
    puts("        esac\n"
         "    else\n"
         "        words=\"@ $(m31r runs --json 2>/dev/null | sed -n "
         "'s/.*\"kind\":\"run\",\"run_id\":\"\\([^\"]*\\)\".*/\\1/p')\"\n"
         "    fi\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "}\n"
         "complete -o default -F _m31r m31r");
}

static int run(cli *c)
{
    if (strcmp(c->args[0], "bash") != 0) {
        return cli_misuse(c, "there is a completion for bash, not for \"%s\"", c->args[0]);
    }
    put_bash();
    return 0;
}

const command command_completion = {
    .name = "completion",
    .summary = "print a completion script for the shell",
    .usage = "bash",
    .run = run,
    .examples = "eval \"$(m31r completion bash)\"   # in ~/.bashrc",
    .min_args = 1,
    .max_args = 1,
};
