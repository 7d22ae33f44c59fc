using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Completions;
using System.Linq;

namespace Overlay.Ctl.Generated;

/// <summary>What shells and man pages are told of options and arguments; all of it is said by the commands themselves.</summary>
internal static class Symbols
{
    private static readonly string[] s_files = ["FILE", "PATH", "CERT", "SHARE", "VOLUME|FILE", "VOLUME[/SUBDIR]", "SOURCE"], s_directories = ["VOLUME", "DIR", "DIRECTORY", "TARGET"];

    /// <summary>Those that are seen on a command, with the ones that all commands have.</summary>
    internal static List<Option> OptionsOf(Verb verb)
    {
        List<Option> options = [.. verb.Command.Options.Where(option => !option.Hidden)];
        for (Verb? above = verb.Parent; above is not null; above = above.Parent)
            options.AddRange(above.Command.Options.Where(option => option is { Hidden: false, Recursive: true } && !options.Contains(option)));
        return options;
    }

    internal static List<Argument> ArgumentsOf(Verb verb) => [.. verb.Command.Arguments.Where(argument => !argument.Hidden)];

    /// <summary>Long names first; those that need quoting in a shell, and the ones of other systems, are left out.</summary>
    internal static List<string> Names(Option option) =>
        [.. new[] { option.Name }.Concat(option.Aliases).Where(name => name.StartsWith('-') && !name.Contains('?')).OrderByDescending(name => name.Length)];

    internal static bool TakesValue(Option option) => option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool);

    /// <summary>May be given several times.</summary>
    internal static bool IsRepeatable(Option option) => option.Arity.MaximumNumberOfValues > 1;

    internal static bool IsRepeatable(Argument argument) => argument.Arity.MaximumNumberOfValues > 1;

    internal static bool IsRequired(Argument argument) => argument.Arity.MinimumNumberOfValues > 0;

    /// <summary>The name of a value, as people read it.</summary>
    internal static string ValueName(Option option) => option.HelpName ?? (Words(option).Count > 0 ? string.Join('|', Words(option)) : option.Name.TrimStart('-').ToUpperInvariant());

    internal static string ValueName(Argument argument) => argument.HelpName ?? argument.Name;

    internal static List<string> Words(Option option) => [.. option.GetCompletions(CompletionContext.Empty).Select(item => item.InsertText ?? item.Label)];

    internal static List<string> Words(Argument argument) => [.. argument.GetCompletions(CompletionContext.Empty).Select(item => item.InsertText ?? item.Label)];

    internal static ValueKind KindOf(Option option) => !TakesValue(option) ? ValueKind.Flag : Words(option).Count > 0 ? ValueKind.Words : KindOf(option.HelpName ?? "");

    internal static ValueKind KindOf(Argument argument) => Words(argument).Count > 0 ? ValueKind.Words : KindOf(ValueName(argument));

    /// <summary>What comes first of a description, for a line.</summary>
    internal static string FirstSentence(string? description)
    {
        string text = (description ?? "").ReplaceLineEndings(" ");
        int end = text.IndexOfAny(['.', ';', ':']);
        while (end >= 0 && end + 1 < text.Length && text[end + 1] != ' ')
            end = text.IndexOfAny(['.', ';', ':'], end + 1);
        return end < 0 ? text : text[..end];
    }

    private static ValueKind KindOf(string valueName) => s_files.Contains(valueName, StringComparer.Ordinal) ? ValueKind.File
        : s_directories.Contains(valueName, StringComparer.Ordinal) ? ValueKind.Directory
        : valueName == "COMMAND" ? ValueKind.Command : ValueKind.Free;
}
