using System;
using System.Collections.Generic;
using System.CommandLine;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Verify;

/// <summary>overlay-ctl verify: opens every block of a volume and compares the files with the store.</summary>
internal static class VerifyCommand
{
    internal static Command Make()
    {
        Argument<string> volume = new("VOLUME") { Description = "The volume to look at; programs may go on using it." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Option<int> jobs = new("--jobs") { Description = "Files at a time (default: the number of processors).", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<bool> quiet = new("--quiet") { Description = "No notes, no summary, no progress bar: only what is wrong or could not be checked." };
        KeyOptions key = new();
        Command command = new("verify", "Find what is damaged, put back, foreign or missing in a volume. Changes nothing.") { volume, json, jobs, quiet };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(jobs) < 1)
                throw new ControlException(ExitCodes.Usage, "--jobs: at least 1 is needed.");
            using KeySecret secret = key.Read(parsed);
            using RawVolume raw = new(VolumeUnlocker.Unlock(parsed.GetValue(volume)!, secret));
            VerifyRun run = new(raw, parsed.GetValue(jobs));
            using (new ProgressBar(!parsed.GetValue(quiet), () => run.Progress))
                run.Run();
            List<Finding> findings = run.Findings;
            if (parsed.GetValue(json))
                VerifyReport.PrintJson(run, findings, raw.Unlocked.Root);
            else
                VerifyReport.Print(run, findings, parsed.GetValue(quiet));
            return VerifyReport.ExitCode(findings);
        });
        return command;
    }
}
