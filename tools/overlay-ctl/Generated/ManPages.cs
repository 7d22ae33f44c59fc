using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;

namespace Overlay.Ctl.Generated;

/// <summary>
/// Manual pages: one of the program, one of each verb. What commands, options and exit codes say of themselves is taken from them;
/// what is longer than that lies in docs/man/NAME.roff.
/// </summary>
internal sealed class ManPages(Verb root, DateTimeOffset date)
{
    internal IEnumerable<string> Names => root.Below.Select(NameOf).Prepend(root.Command.Name);

    internal string Write(string name) => name == root.Command.Name ? Program() : Page(root.Below.First(verb => NameOf(verb) == name));

    private static string NameOf(Verb verb) => $"overlay-ctl-{verb.Path}";

    private string Program()
    {
        StringBuilder page = Begin(root.Command.Name, root.Command.Description);
        page.Append(".SH SYNOPSIS\n.B overlay\\-ctl\n.I VERB\n[\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n").Append(Prose("overlay-ctl"));
        page.Append(".SH VERBS\nEach has a page of its own, which says all of its options.\n");
        foreach (Verb verb in root.Below)
            Item(page, $"\\fBoverlay\\-ctl\\-{Roff.Text(verb.Path)}\\fR(1)", verb.Command.Description);
        Options(page, root);
        page.Append(".SH ENVIRONMENT\n").Append(Prose("environment"));
        ExitStatus(page);
        page.Append(".SH SEE ALSO\nREADME.md, docs/keys.md, docs/format.md, docs/errors.md, docs/threat\\-model.md\n");
        return page.ToString();
    }

    private string Page(Verb verb)
    {
        StringBuilder page = Begin(NameOf(verb), verb.Command.Description);
        page.Append(".SH SYNOPSIS\n.nf\n");
        foreach (Verb each in verb.All.Where(each => !each.Below.Any()))
            page.Append(Synopsis(each)).Append('\n');
        page.Append(".fi\n.SH DESCRIPTION\n").Append(Roff.Text(verb.Command.Description ?? "")).Append('\n');
        if (Prose(verb.Path) is { Length: > 0 } prose)
            page.Append(".PP\n").Append(prose);
        foreach (Verb below in verb.All.Skip(1).Where(below => !below.Below.Any()))
        {
            page.Append(CultureInfo.InvariantCulture, $".SH {Roff.Argument(below.Path.ToUpperInvariant())}\n{Roff.Text(below.Command.Description ?? "")}\n");
            Arguments(page, below);
            Options(page, below, ".SS Options\n");
        }
        Arguments(page, verb);
        if (!verb.Below.Any())
            Options(page, verb);
        page.Append(".SH EXIT STATUS\n0 for success; \\fBoverlay\\-ctl\\fR(1) has the others.\n.SH SEE ALSO\n\\fBoverlay\\-ctl\\fR(1)\n");
        return page.ToString();
    }

    private StringBuilder Begin(string name, string? description)
    {
        string version = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "";
        StringBuilder page = new(".\\\" Made by 'overlay-ctl man' of the commands themselves, and of docs/man/*.roff.\n");
        page.Append(CultureInfo.InvariantCulture, $".TH {Roff.Argument(name.ToUpperInvariant())} 1 {date:yyyy-MM-dd} \"Overlay {version}\" \"User Commands\"\n.nh\n.ad l\n");
        return page.Append(CultureInfo.InvariantCulture, $".SH NAME\n{Roff.Text(name)} \\- {Roff.Text(Lower(Symbols.FirstSentence(description)))}\n");
    }

    private static string Synopsis(Verb verb)
    {
        StringBuilder line = new($"\\fBoverlay\\-ctl {Roff.Text(verb.Path)}\\fR");
        List<Option> options = Symbols.OptionsOf(verb);
        foreach (Option option in options.Where(option => option.Required))
            line.Append(CultureInfo.InvariantCulture, $" \\fB{Roff.Text(option.Name)}\\fR \\fI{Roff.Text(Symbols.ValueName(option))}\\fR{(Symbols.IsRepeatable(option) ? "..." : "")}");
        if (options.Any(option => !option.Required))
            line.Append(" [\\fIOPTIONS\\fR]");
        foreach (Argument argument in Symbols.ArgumentsOf(verb))
        {
            string name = $"{(Symbols.KindOf(argument) == ValueKind.Command ? "\\-\\- " : "")}\\fI{Roff.Text(Symbols.ValueName(argument))}\\fR{(Symbols.IsRepeatable(argument) ? "..." : "")}";
            line.Append(' ').Append(Symbols.IsRequired(argument) ? name : $"[{name}]");
        }
        return line.ToString();
    }

    private static void Arguments(StringBuilder page, Verb verb)
    {
        foreach (Argument argument in Symbols.ArgumentsOf(verb))
            Item(page, $"\\fI{Roff.Text(Symbols.ValueName(argument))}\\fR", argument.Description);
    }

    private static void Options(StringBuilder page, Verb verb, string head = ".SH OPTIONS\n")
    {
        page.Append(head);
        foreach (Option option in Symbols.OptionsOf(verb))
        {
            string names = string.Join(", ", Symbols.Names(option).Select(name => $"\\fB{Roff.Text(name)}\\fR"));
            Item(page, Symbols.TakesValue(option) ? $"{names} \\fI{Roff.Text(Symbols.ValueName(option))}\\fR" : names, option.Description + Default(option));
        }
    }

    private static string Default(Option option) =>
        option.HasDefaultValue && option.GetDefaultValue() is string { Length: > 0 } or int or double ? $" Default: {Convert.ToString(option.GetDefaultValue(), CultureInfo.InvariantCulture)}." : "";

    private static void ExitStatus(StringBuilder page)
    {
        page.Append(".SH EXIT STATUS\nThese are stable.\n");
        foreach ((string code, string meaning) in ExitCodes.Table)
            Item(page, $"\\fB{Roff.Text(code)}\\fR", meaning);
    }

    private static void Item(StringBuilder page, string tag, string? text) => page.Append(CultureInfo.InvariantCulture, $".TP\n{tag}\n{Roff.Text(text ?? "")}\n");

    private static string Lower(string sentence) => sentence.Length > 1 && char.IsLower(sentence[1]) ? char.ToLowerInvariant(sentence[0]) + sentence[1..] : sentence;

    private static string Prose(string name)
    {
        using Stream? stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"man/{name}");
        if (stream is null)
            return "";
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
