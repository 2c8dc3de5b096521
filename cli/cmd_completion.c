/* cmd_completion.c - m31r completion bash|zsh|fish: a script for the shell, which asks `m31r
 * completion words` at each press of the key; complete.c has the answers. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "complete.h"

static const char bash[] =
    "_m31r() {\n"
    "    mapfile -t COMPREPLY < <(m31r completion words -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
    "2>/dev/null)\n"
    "}\n"
    "complete -o default -F _m31r m31r\n";

static const char zsh[] =
    "#compdef m31r\n"
    "_m31r() {\n"
    "    local -a found\n"
    "    found=(\"${(@f)$(m31r completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    if [[ -n \"${found[1]}\" ]]; then compadd -U -- \"${found[@]}\"; else _files; fi\n"
    "}\n"
    "compdef _m31r m31r\n";

static const char fish[] = "function __m31r_words\n"
                           "    set -l typed (commandline -opc) (commandline -ct)\n"
                           "    m31r completion words -- $typed[2..-1] 2>/dev/null\n"
                           "end\n"
                           "complete -c m31r -a '(__m31r_words)'\n";

static int run(cli *c)
{
    const char *shell = c->args[0];
    if (strcmp(shell, "words") == 0) {
        complete_words(c->args + 1, c->n_args - 1);
        return 0;
    }
    const char *script = strcmp(shell, "bash") == 0   ? bash
                         : strcmp(shell, "zsh") == 0  ? zsh
                         : strcmp(shell, "fish") == 0 ? fish
                                                      : NULL;
    if (script == NULL || c->n_args > 1) {
        return cli_misuse(c, "there is a completion for bash, zsh and fish, not for \"%s\"", shell);
    }
    fputs(script, stdout);
    return 0;
}

const command command_completion = {
    .name = "completion",
    .summary = "print a completion script for the shell",
    .usage = "bash|zsh|fish | words -- WORD...",
    .run = run,
    .details = "Completes commands, options, runs, levels, lanes and metrics, and the names of "
               "fields in -w, --fields, --by, --count-by,\n--stats, --cols and --sort. words "
               "prints the candidates for the last of the words behind m31r, one a line.",
    .examples = "eval \"$(m31r completion bash)\"   # in ~/.bashrc\n"
                "eval \"$(m31r completion zsh)\"    # in ~/.zshrc, behind compinit\n"
                "m31r completion fish | source    # in ~/.config/fish/config.fish\n"
                "m31r completion words -- logs -w le",
    .min_args = 1,
    .max_args = 1000,
};
