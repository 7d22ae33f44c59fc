using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using Overlay.Ctl.Terminal;
using Overlay.Ctl.Verify;

namespace Overlay.Ctl.Doctor;

/// <summary>What was found, for people and for programs.</summary>
internal static class DoctorReport
{
    private const int NameWidth = 20;

    internal static int ExitCode(CheckList checks) => checks.HasFailed ? ExitCodes.Unfit : ExitCodes.Ok;

    internal static void Print(CheckList checks)
    {
        string group = "";
        foreach (Check check in checks.All)
        {
            if (check.Group != group)
                Console.WriteLine(group = check.Group);
            Console.WriteLine($"  {Coloured(check.State)}  {check.Name,-NameWidth}{FindingText.Escape(check.Finding)}");
            if (check.Remedy.Length > 0)
                Console.WriteLine($"        {"",-NameWidth}-> {FindingText.Escape(check.Remedy)}");
        }
        Console.WriteLine($"{Number(checks.All.Count)} checks: {Number(checks.Count(CheckState.Warn))} warnings, {Number(checks.Count(CheckState.Fail))} failures");
    }

    internal static void PrintJson(CheckList checks) => Json.Print(writer =>
    {
        writer.WriteString("result", checks.HasFailed ? "unfit" : "fit");
        writer.WriteNumber("warnings", checks.Count(CheckState.Warn));
        writer.WriteNumber("failures", checks.Count(CheckState.Fail));
        writer.WriteStartArray("checks");
        foreach (Check check in checks.All)
        {
            writer.WriteStartObject();
            writer.WriteString("group", check.Group);
            writer.WriteString("name", check.Name);
            writer.WriteString("state", Word(check.State).ToLowerInvariant());
            writer.WriteString("finding", check.Finding);
            if (check.Remedy.Length > 0)
                writer.WriteString("remedy", check.Remedy);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });

    private static string Word(CheckState state) => state switch { CheckState.Ok => "ok", CheckState.Warn => "warn", _ => "FAIL" };

    private static string Coloured(CheckState state) =>
        Screen.Colour(Word(state).PadRight(4), state switch { CheckState.Ok => 2, CheckState.Warn => 3, _ => 1 }, Screen.Output);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
