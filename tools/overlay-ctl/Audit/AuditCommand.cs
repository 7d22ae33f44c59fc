using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Overlay.Ctl.Keys;
using Overlay.Ctl.Terminal;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Audit;

/// <summary>overlay-ctl audit: the log of who was given which key.</summary>
internal static class AuditCommand
{
    internal static Command Make() => new("audit", "Record who is given which keys, and who administers a volume.")
    {
        MakeSwitch("enable"), MakeSwitch("disable"), MakeShow(), MakeExport(), MakeVerify(), MakeArchive(),
    };

    private static Argument<string> Volume() => new("VOLUME") { Description = "The volume; programs may go on using it." };

    private static Command MakeSwitch(string name)
    {
        bool isOn = name == "enable";
        Argument<string> volume = Volume();
        KeyOptions key = new();
        Option<bool> acceptLoss = new("--accept-loss") { Description = "The log was cut or changed: go on behind the gap, which stays to be seen." };
        Command command = new(name, isOn ? "Switch the log on. Running agents notice within a second." : "Switch the log off; that is recorded.") { volume };
        if (isOn)
            command.Add(acceptLoss);
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            using KeySecret secret = key.Read(parsed);
            using UnlockedVolume unlocked = VolumeUnlocker.Unlock(parsed.GetValue(volume)!, secret);
            if (isOn)
                AuditSwitch.Enable(unlocked, AdminTrail.Self, parsed.GetValue(acceptLoss));
            else
                AuditSwitch.Disable(unlocked, AdminTrail.Self);
            Console.WriteLine($"The audit log of {unlocked.Root} is {(isOn ? "on" : "off")}.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command MakeShow()
    {
        Argument<string> volume = Volume();
        AuditFilter filter = new();
        Option<bool> json = new("--json") { Description = "Print the records as they are, one JSON object a line." };
        Command command = new("show", "Show records. They are not checked here: 'audit verify' does that. Needs no key.") { volume, json };
        filter.AddTo(command);
        command.SetAction(parsed =>
        {
            AuditFormat format = parsed.GetValue(json) ? AuditFormat.Json : AuditFormat.Text;
            return AuditPrinter.Print(parsed.GetValue(volume)!, filter.Read(parsed), format);
        });
        return command;
    }

    private static Command MakeExport()
    {
        Argument<string> volume = Volume();
        AuditFilter filter = new();
        Option<AuditFormat> format = new("--format") { Description = "json (a line each), cef (ArcSight), or syslog (RFC 5424).", HelpName = "json|cef|syslog", DefaultValueFactory = _ => AuditFormat.Json };
        Command command = new("export", "Write records for another system, to standard output. Needs no key.") { volume, format };
        filter.AddTo(command);
        command.SetAction(parsed => AuditPrinter.Print(parsed.GetValue(volume)!, filter.Read(parsed), parsed.GetValue(format)));
        return command;
    }

    private static Command MakeVerify()
    {
        Argument<string> volume = Volume();
        KeyOptions key = new();
        Option<string[]> archives = new("--archive") { Description = "A directory with archived files of the log; may be given several times.", HelpName = "DIR" };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("verify", "Find records that were lost, changed, moved or added.") { volume, archives, json };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            using KeySecret secret = key.Read(parsed);
            using UnlockedVolume unlocked = VolumeUnlocker.Unlock(parsed.GetValue(volume)!, secret);
            using AuditLog log = AuditLog.TryOpen(unlocked) ?? throw new ControlException(ExitCodes.Damaged, $"the audit log of {unlocked.Root} was never on ('overlay-ctl audit enable'), or the store was put back to a time when it was not.");
            AuditVerifier verifier = new(log, parsed.GetValue(archives) ?? []);
            using (ProgressBar.OfTime(isWanted: true, "checking the records"))
                verifier.Run();
            if (parsed.GetValue(json))
                PrintJson(verifier);
            else
                PrintText(verifier);
            return verifier.Findings.Count == 0 ? ExitCodes.Ok : ExitCodes.Damaged;
        });
        return command;
    }

    private static Command MakeArchive()
    {
        Argument<string> volume = Volume();
        Argument<string> target = new("DIR") { Description = "Directory, on other storage best, that takes them." };
        Option<bool> dryRun = new("--dry-run") { Description = "Only say which files would be moved." };
        KeyOptions key = new();
        Command command = new("archive", "Move all files of the log but the newest elsewhere. The chain goes on; 'audit verify --archive DIR' follows it.") { volume, target, dryRun };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            string directory = Path.GetFullPath(parsed.GetValue(target)!);
            if (!Directory.Exists(directory))
                throw new ControlException(ExitCodes.Usage, $"{directory} is not a directory.");
            using KeySecret secret = key.Read(parsed);
            using UnlockedVolume unlocked = VolumeUnlocker.Unlock(parsed.GetValue(volume)!, secret);
            if (parsed.GetValue(dryRun))
            {
                IReadOnlyList<string> files = AuditSwitch.FilesToArchive(unlocked);
                StoreCommand.Print($"files of the log would be moved to {directory}", files);
                if (files.Count == 0)
                    Console.WriteLine("No file of the log would be moved: there is only the newest.");
                return ExitCodes.Ok;
            }
            int moved = AuditSwitch.Archive(unlocked, AdminTrail.Self, directory);
            Console.WriteLine($"{moved} files of the log were moved to {directory}.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void PrintText(AuditVerifier verifier)
    {
        foreach (string finding in verifier.Findings)
            Console.WriteLine(finding);
        Console.WriteLine($"{verifier.Records} records in {verifier.Files} files, {verifier.Findings.Count} findings; the log is {(verifier.IsOn ? "on" : "off")}");
    }

    private static void PrintJson(AuditVerifier verifier) => Json.Print(writer =>
    {
        writer.WriteString("result", verifier.Findings.Count == 0 ? "clean" : "findings");
        writer.WriteBoolean("isOn", verifier.IsOn);
        writer.WriteNumber("records", verifier.Records);
        writer.WriteNumber("files", verifier.Files);
        writer.WriteStartArray("findings");
        foreach (string finding in verifier.Findings)
            writer.WriteStringValue(finding);
        writer.WriteEndArray();
    });
}
