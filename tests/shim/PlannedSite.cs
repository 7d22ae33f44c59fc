using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Overlay.Shim.Tests;

/// <summary>The values of enum overlay_site_fate in shim/native/patch.h.</summary>
internal enum SiteFate
{
    NotCode,
    NotWanted,
    Jump,
    Springboard,
    Callers,
    Unpatchable,
}

/// <summary>One line of plan_file: a <c>syscall</c> instruction and what the patcher would do to it.</summary>
internal sealed record PlannedSite(
    ulong Syscall, SiteFate Fate, int Number, ulong Start, int Moved, int Overwritten, ulong Springboard)
{
    public bool IsRedirectedCall => Fate == SiteFate.Callers && Overwritten > 0;

    public static (int ExitCode, List<PlannedSite> Sites) Plan(string elfFile, bool everyCall = false)
    {
        var outcome = NativeBuild.Run(NativeBuild.PathOf("plan_file"), everyCall ? [elfFile, "all"] : [elfFile]);
        return (outcome.ExitCode, outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse).ToList());
    }

    private static PlannedSite Parse(string line)
    {
        var fields = line.Split(' ');
        return new PlannedSite(Hex(fields[0]), (SiteFate)Decimal(fields[1]), Decimal(fields[2]), Hex(fields[3]),
                               Decimal(fields[4]), Decimal(fields[5]), Hex(fields[6]));
    }

    private static ulong Hex(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static int Decimal(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
