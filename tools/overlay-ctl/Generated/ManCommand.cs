using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Overlay.Ctl.Generated;

/// <summary>overlay-ctl man: the manual, for those who install it.</summary>
internal static class ManCommand
{
    internal static Command Make()
    {
        Argument<string> name = new("NAME") { Description = "A page, or a command (default: overlay-ctl).", DefaultValueFactory = _ => "overlay-ctl" };
        Option<string?> output = new("--output") { Description = "Write all pages there instead.", HelpName = "DIR" };
        Command command = new("man", "Print a manual page: overlay-ctl man | man -l -") { name, output };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            ManPages pages = new(new Verb(parsed.RootCommandResult.Command, null), Date());
            string wanted = parsed.GetValue(name)!;
            if (pages.Names.Contains($"overlay-ctl-{wanted}"))
                wanted = $"overlay-ctl-{wanted}";
            if (parsed.GetValue(output) is string directory)
                foreach (string page in pages.Names)
                    File.WriteAllText(Path.Combine(directory, page + ".1"), pages.Write(page));
            else if (pages.Names.Contains(wanted))
                Console.Out.Write(pages.Write(wanted));
            else
                throw new ControlException(ExitCodes.Usage, $"there is no page {wanted}, but {string.Join(", ", pages.Names)}.");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Of the sources, where who builds a package says it (reproducible-builds.org); else today.</summary>
    private static DateTimeOffset Date() =>
        long.TryParse(Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH"), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds) : DateTimeOffset.UtcNow;
}
