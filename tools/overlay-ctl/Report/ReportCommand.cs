using System;
using System.CommandLine;
using System.IO;
using System.Text;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Report;

/// <summary>overlay-ctl report: evidence for an auditor.</summary>
internal static class ReportCommand
{
    internal static Command Make() => new("report", "Evidence for auditors: one page, or JSON.")
    {
        Make(Framework.Pci), Make(Framework.Hipaa), Make(Framework.Gdpr),
    };

    private static Command Make(Framework framework)
    {
        Argument<string> volume = new("VOLUME") { Description = "The volume; programs may go on using it." };
        Option<bool> html = new("--html") { Description = "A page that needs nothing else (this is the default)." };
        Option<bool> json = new("--json") { Description = "JSON." };
        Option<string?> output = new("--output") { Description = "Write it to FILE, for its owner alone, instead of standard output.", HelpName = "FILE" };
        KeyOptions key = new();
        Command command = new(framework.Name, $"Evidence for {framework.Title}.") { volume, html, json, output };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(html) && parsed.GetValue(json))
                throw new ControlException(ExitCodes.Usage, "--html and --json exclude each other.");
            using KeySecret secret = key.Read(parsed);
            using UnlockedVolume unlocked = VolumeUnlocker.Unlock(parsed.GetValue(volume)!, secret);
            Evidence evidence;
            using (ProgressBar.OfTime(isWanted: true, "collecting evidence"))
                evidence = EvidenceCollector.Collect(unlocked);
            byte[] report = parsed.GetValue(json) ? JsonReport.Write(framework, evidence) : Encoding.UTF8.GetBytes(HtmlReport.Write(framework, evidence));
            using Stream stream = parsed.GetValue(output) is string path ? OpenFile(path) : Console.OpenStandardOutput();
            stream.Write(report);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>It names files, users and programs.</summary>
    private static FileStream OpenFile(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });
}
