using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Text;

namespace Overlay.Ctl.Generated;

/// <summary>Completion for zsh: a function for each verb.</summary>
internal static class ZshCompletion
{
    internal static string Write(Verb root)
    {
        StringBuilder text = new("#compdef overlay-ctl\n# Completion of overlay-ctl for zsh; made by 'overlay-ctl completion zsh' of the commands themselves.\n");
        foreach (Verb verb in root.All.Reverse())
            text.Append($"\n{Function(verb)}() {{\n").Append(verb.Below.Any() ? Parent(verb) : Leaf(verb)).Append("}\n");
        // Loaded by compinit it is the function's body; sourced, it registers itself.
        text.Append("\nif [ \"$funcstack[1]\" = _overlay-ctl ]; then\n    _overlay-ctl \"$@\"\nelse\n    compdef _overlay-ctl overlay-ctl\nfi\n");
        return text.ToString();
    }

    private static string Function(Verb verb) => "_overlay-ctl" + (verb.Path.Length == 0 ? "" : "_" + verb.Path.Replace(' ', '_'));

    private static string Parent(Verb verb)
    {
        StringBuilder text = new("    local state line\n    local -a verbs\n    _arguments -C \\\n");
        foreach (Option option in Symbols.OptionsOf(verb))
            text.Append($"        {OptionSpecification(option)} \\\n");
        text.Append("        '1:command:->verb' '*::argument:->rest'\n    case $state in\n    verb)\n        verbs=(\n");
        foreach (Verb below in verb.Below)
            text.Append($"            {Quote($"{below.Command.Name}:{Symbols.FirstSentence(below.Command.Description)}")}\n");
        text.Append("        )\n        _describe command verbs ;;\n    rest)\n        case $line[1] in\n");
        foreach (Verb below in verb.Below)
            text.Append($"        {below.Command.Name}) {Function(below)} ;;\n");
        return text.Append("        esac ;;\n    esac\n").ToString();
    }

    private static string Leaf(Verb verb)
    {
        List<string> specifications = [.. Symbols.OptionsOf(verb).Select(OptionSpecification)];
        List<Argument> arguments = Symbols.ArgumentsOf(verb);
        for (int i = 0; i < arguments.Count; i++)
            specifications.Add(ArgumentSpecification(arguments[i], i + 1));
        return specifications.Count == 0 ? "    :\n" : $"    _arguments -S \\\n        {string.Join(" \\\n        ", specifications)}\n";
    }

    private static string OptionSpecification(Option option)
    {
        string name = Symbols.Names(option)[0];
        string value = Symbols.TakesValue(option) ? $":{Bare(Symbols.ValueName(option))}:{Action(Symbols.KindOf(option), Symbols.Words(option))}" : "";
        return Quote($"{(Symbols.IsRepeatable(option) ? "*" : "")}{name}[{InBrackets(Symbols.FirstSentence(option.Description))}]{value}");
    }

    private static string ArgumentSpecification(Argument argument, int number)
    {
        if (Symbols.KindOf(argument) == ValueKind.Command)
            return "'(-)*::command:_normal'";
        string optional = Symbols.IsRequired(argument) ? "" : ":";
        return Quote($"{(Symbols.IsRepeatable(argument) ? "*" : number + optional)}:{Bare(Symbols.ValueName(argument))}:{Action(Symbols.KindOf(argument), Symbols.Words(argument))}");
    }

    private static string Action(ValueKind kind, List<string> words) => kind switch
    {
        ValueKind.File => "_files",
        ValueKind.Directory => "_files -/",
        ValueKind.Words => $"({string.Join(' ', words)})",
        _ => " ",
    };

    private static string Bare(string name) => name.Replace(":", "", StringComparison.Ordinal);

    private static string InBrackets(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal)
        .Replace("]", "\\]", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
