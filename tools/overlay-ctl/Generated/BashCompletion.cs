using System;
using System.CommandLine;
using System.Linq;
using System.Text;

namespace Overlay.Ctl.Generated;

/// <summary>Completion for bash (4.4 or newer), without the package bash-completion.</summary>
internal static class BashCompletion
{
    internal static string Write(Verb root)
    {
        StringBuilder nodes = new(), values = new();
        foreach (Verb verb in root.All)
        {
            string verbs = string.Join(' ', verb.Below.Select(below => below.Command.Name));
            string flags = string.Join(' ', Symbols.OptionsOf(verb).SelectMany(Symbols.Names));
            string arguments = string.Join(' ', Symbols.ArgumentsOf(verb).Select(argument => Kind(Symbols.KindOf(argument), Symbols.Words(argument), ',')));
            nodes.Append($"    '{verb.Path}') verbs='{verbs}' flags='{flags}' arguments='{arguments}' ;;\n");
            foreach (Option option in Symbols.OptionsOf(verb).Where(Symbols.TakesValue))
                values.Append($"    {string.Join(" | ", Symbols.Names(option).Select(name => $"'{verb.Path}:{name}'"))}) value='{Kind(Symbols.KindOf(option), Symbols.Words(option), ',')}' ;;\n");
        }
        return Template.Replace("@NODES@\n", nodes.ToString(), StringComparison.Ordinal).Replace("@VALUES@\n", values.ToString(), StringComparison.Ordinal);
    }

    private static string Kind(ValueKind kind, System.Collections.Generic.List<string> words, char separator) => kind switch
    {
        ValueKind.File => "file",
        ValueKind.Directory => "directory",
        ValueKind.Command => "command",
        ValueKind.Words => $"words:{string.Join(separator, words)}",
        _ => "free",
    };

    private const string Template = """
        # Completion of overlay-ctl for bash; made by 'overlay-ctl completion bash' of the commands themselves.

        # What a verb has below it: sets verbs, flags, and the kinds of its arguments.
        _overlay_ctl_node() {
            case $1 in
        @NODES@
            esac
        }

        # The kind of the value that an option of a verb takes; '' for one that takes none.
        _overlay_ctl_value() {
            value=''
            case $1 in
        @VALUES@
            esac
        }

        _overlay_ctl_offer() { # _overlay_ctl_offer KIND WORD
            case $1 in
            file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
            directory) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
            command) mapfile -t COMPREPLY < <(compgen -c -- "$2") ;;
            words:*) mapfile -t COMPREPLY < <(IFS=,; compgen -W "${1#words:}" -- "$2") ;;
            esac
        }

        _overlay_ctl() {
            local current=${COMP_WORDS[COMP_CWORD]} node='' verbs='' flags='' arguments='' value='' word i position=0
            local -a kinds
            COMPREPLY=()
            _overlay_ctl_node ''
            for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                if [[ $word == -- ]]; then
                    # Somebody else's command line.
                    if ((i + 1 == COMP_CWORD)); then _overlay_ctl_offer command "$current"; else _overlay_ctl_offer file "$current"; fi
                    return
                elif [[ $word == -* ]]; then
                    _overlay_ctl_value "$node:$word"
                    [[ -n $value ]] || continue
                    ((++i))
                    # bash takes --name=value for three words.
                    if [[ ${COMP_WORDS[i]} == = ]] && ((i < COMP_CWORD)); then ((++i)); fi
                    if ((i == COMP_CWORD)); then
                        _overlay_ctl_offer "$value" "${current#=}"
                        return
                    fi
                elif [[ " $verbs " == *" $word "* ]]; then
                    node=${node:+$node }$word
                    _overlay_ctl_node "$node"
                else
                    ((++position))
                fi
            done
            if [[ $current == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$flags --" -- "$current")
            elif [[ -n $verbs ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$current")
            else
                read -ra kinds <<<"$arguments"
                ((${#kinds[@]} == 0)) && return
                # The last one may be given again and again.
                ((position >= ${#kinds[@]})) && position=$((${#kinds[@]} - 1))
                _overlay_ctl_offer "${kinds[position]}" "$current"
            fi
        }

        complete -F _overlay_ctl overlay-ctl

        """;
}
