using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Text;

namespace Overlay.Ctl.Generated;

/// <summary>Completion for fish.</summary>
internal static class FishCompletion
{
    internal static string Write(Verb root)
    {
        StringBuilder text = new();
        text.Append("# Completion of overlay-ctl for fish; made by 'overlay-ctl completion fish' of the commands themselves.\n");
        text.Append($"set -g __overlay_ctl_verbs {string.Join(' ', root.All.Skip(1).Select(verb => Quote(verb.Path)))}\n");
        IEnumerable<string> valued = root.All.SelectMany(verb => Symbols.OptionsOf(verb).Where(Symbols.TakesValue).SelectMany(Symbols.Names)).Distinct();
        text.Append($"set -g __overlay_ctl_valued {string.Join(' ', valued)}\n").Append(Functions);
        text.Append("complete -c overlay-ctl -f\n");
        foreach (Verb verb in root.All)
        {
            string at = $"complete -c overlay-ctl -n {Quote($"__overlay_ctl_at {Quote(verb.Path)}")}";
            foreach (Verb below in verb.Below)
                text.Append($"{at} -a {below.Command.Name} -d {Quote(Symbols.FirstSentence(below.Command.Description))}\n");
            foreach (Option option in Symbols.OptionsOf(verb))
                text.Append($"{at}{OptionNames(option)} {Value(option)}-d {Quote(Symbols.FirstSentence(option.Description))}\n");
            foreach (Argument argument in Symbols.ArgumentsOf(verb))
                if (Offer(Symbols.KindOf(argument), Symbols.Words(argument)) is { Length: > 0 } offer)
                    text.Append($"{at} {offer}\n");
        }
        return text.ToString();
    }

    private static string OptionNames(Option option) =>
        string.Concat(Symbols.Names(option).Select(name => name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {name[1..]}"));

    private static string Value(Option option) => Symbols.KindOf(option) switch
    {
        ValueKind.Flag => "",
        ValueKind.Free => "-x ",
        ValueKind.File => "-r -F ",
        _ => $"-x {Offer(Symbols.KindOf(option), Symbols.Words(option))} ",
    };

    private static string Offer(ValueKind kind, List<string> words) => kind switch
    {
        ValueKind.File => "-F",
        ValueKind.Directory => "-a '(__fish_complete_directories)'",
        ValueKind.Command => "-F -a '(__fish_complete_command)'",
        ValueKind.Words => $"-a {Quote(string.Join(' ', words))}",
        _ => "",
    };

    private static string Quote(string text) => $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    private const string Functions = """

        # The verb that was typed so far is this one.
        function __overlay_ctl_at
            set -l path
            set -l before
            for word in (commandline -opc)[2..-1]
                if contains -- "$before" $__overlay_ctl_valued
                    set before
                    continue
                end
                set before $word
                set -l longer (string trim -- "$path $word")
                if contains -- $longer $__overlay_ctl_verbs
                    set path $longer
                end
            end
            test "$path" = "$argv[1]"
        end


        """;
}
