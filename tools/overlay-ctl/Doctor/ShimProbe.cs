using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;

namespace Overlay.Ctl.Doctor;

/// <summary>
/// Lets the loader load a program together with the shim, which answers in the program's place (shim/native/doctor.c): everything is
/// checked that is checked when it starts, and it does not run.
/// </summary>
internal static class ShimProbe
{
    private const int PatienceInMilliseconds = 20000;

    internal sealed record Answer(int ExitCode, string Output, string Complaint);

    /// <summary>The libraries that the loader finds, as it says it. Nothing of the program or of a library is run.</summary>
    internal static Answer ListLibraries(string loader, string program) => Start(loader, ["--preload", Layout.Shim, "--list", program], []);

    internal static Answer Ask(string loader, string program, string volume) => Start(
        loader, ["--preload", Layout.Shim, program], new Dictionary<string, string> { ["OVERLAY_DOCTOR"] = "1", ["OVERLAY_VOLUMES"] = volume });

    private static Answer Start(string loader, string[] arguments, Dictionary<string, string> settings)
    {
        ProcessStartInfo start = new(loader, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string name in start.Environment.Keys.Where(IsOurs).ToArray())
            start.Environment.Remove(name);
        foreach ((string name, string value) in settings)
            start.Environment[name] = value;
        using Process process = Process.Start(start) ?? throw new ControlException(ExitCodes.Failed, $"{loader} cannot be executed.");
        process.StandardInput.Close();
        System.Threading.Tasks.Task<string> complaint = process.StandardError.ReadToEndAsync();
        System.Threading.Tasks.Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(PatienceInMilliseconds))
            process.Kill();
        process.WaitForExit();
        return new Answer(process.ExitCode, output.Result.Trim(), FirstLine(complaint.Result));
    }

    private static bool IsOurs(string name) => name.StartsWith("OVERLAY_", StringComparison.Ordinal) || name is "LD_PRELOAD" or "LD_TRACE_LOADED_OBJECTS";

    private static string FirstLine(string text)
    {
        string line = text.Split('\n')[0];
        return line.StartsWith("overlay: ", StringComparison.Ordinal) ? line["overlay: ".Length..] : line;
    }
}
