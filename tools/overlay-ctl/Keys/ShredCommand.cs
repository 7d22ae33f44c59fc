using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>overlay-ctl shred: destroys the keys of files, in every copy of them, and certifies it.</summary>
internal static class ShredCommand
{
    internal static Command Make()
    {
        Options options = new();
        Command command = new("shred",
            "Destroy the keys of files: nobody reads them any more, here or in any copy or snapshot of them. It cannot be undone. Copies of the store that are not known " +
            "(snapshots of its disk, copies made by hand) still have the keys; programs that have a file open, or could have read it, may have its content.");
        options.AddTo(command);
        command.SetAction(parsed => parsed.GetValue(options.Verify) is string certificate
            ? ShredVerification.Run(certificate, parsed, options)
            : Shred(parsed, options));
        return command;
    }

    private static int Shred(ParseResult parsed, Options options)
    {
        string[] paths = parsed.GetValue(options.Paths) ?? [];
        string? pattern = parsed.GetValue(options.Where);
        if (paths.Length == 0 == (pattern is null))
            throw new ControlException(ExitCodes.Usage, "which files? Give either PATHs or --where; --dry-run says first what would be destroyed.");
        string root = parsed.GetValue(options.Volume) ?? (paths.Length > 0 ? FindVolume(paths[0]) : throw new ControlException(ExitCodes.Usage, "--where needs --volume."));
        using RawVolume volume = new(VolumeUnlockerFor(parsed, options, root));
        List<ShredTarget> targets = pattern is not null ? ShredTarget.FromPattern(volume.Unlocked, pattern) : ShredTarget.FromPaths(volume.Unlocked, paths);
        ShredRun run = new(volume, targets, openFilesFail: parsed.GetValue(options.Open) == "fail", parsed.GetValue(options.Backups) ?? []);
        if (targets.Count == 0)
        {
            Console.WriteLine("No sealed file matches; nothing was destroyed.");
            return ExitCodes.Ok;
        }
        run.CheckKeys();
        if (parsed.GetValue(options.DryRun))
        {
            run.Describe("would be destroyed");
            return ExitCodes.Ok;
        }
        if (!parsed.GetValue(options.Yes))
            Confirm(run);
        return run.Run(parsed.GetValue(options.Certificate));
    }

    private static UnlockedVolume VolumeUnlockerFor(ParseResult parsed, Options options, string root)
    {
        using KeySecret secret = options.Key.Read(parsed);
        return VolumeUnlocker.Unlock(root, secret);
    }

    private static void Confirm(ShredRun run)
    {
        if (Console.IsInputRedirected)
            throw new ControlException(ExitCodes.Usage, "this destroys files for good: say --yes, or answer at a terminal.");
        run.Describe("will be destroyed");
        Console.Error.Write("Nobody will read these files any more, in any copy. Type 'shred' to go on: ");
        if (Console.ReadLine() != "shred")
            throw new ControlException(ExitCodes.Failed, "nothing was destroyed, since 'shred' was not the answer.");
    }

    internal static string FindVolume(string path)
    {
        string real = Posix.RealPath(path) ?? throw new ControlException(ExitCodes.Failed, $"{path} does not exist.");
        for (string? directory = Path.GetDirectoryName(real); directory is not null; directory = Path.GetDirectoryName(directory))
            if (File.Exists(new VolumePaths(directory).Config))
                return directory;
        throw new ControlException(ExitCodes.Volume, $"{path} does not lie in a volume: there is no key to destroy.");
    }

    internal sealed class Options
    {
        internal Argument<string[]> Paths { get; } = new("PATH") { Description = "Files, as they lie in the volume.", Arity = ArgumentArity.ZeroOrMore };

        internal Option<string?> Volume { get; } = new("--volume") { Description = "The volume (default: the one that the first PATH lies in).", HelpName = "VOLUME" };

        internal Option<string?> Where { get; } = new("--where") { Description = "Files whose paths in the volume match: * and ? without '/', ** with it.", HelpName = "GLOB" };

        internal Option<bool> DryRun { get; } = new("--dry-run") { Description = "Only say what would be destroyed, and who has it open." };

        internal Option<bool> Yes { get; } = new("--yes") { Description = "Do not ask." };

        internal Option<string?> Certificate { get; } = new("--certificate") { Description = "Where the certificate is written (default: shred-NUMBER.json here).", HelpName = "FILE" };

        internal Option<string[]> Backups { get; } = new("--backup") { Description = "Another copy of the store to clean, beside those that 'store backup' made.", HelpName = "FILE" };

        internal Option<string> Open { get; } = new("--open") { Description = "What becomes of programs that have the files open: their calls fail (EIO), or they finish with what they have.", DefaultValueFactory = _ => "fail" };

        internal Option<string?> Verify { get; } = new("--verify") { Description = "Check a certificate instead: its signature, and with --volume that the keys are gone.", HelpName = "CERT" };

        internal Option<string?> Signer { get; } = new("--signer") { Description = "With --verify: the public key (overlay-sign-1…) that must have signed.", HelpName = "KEY" };

        internal KeyOptions Key { get; } = new();

        internal void AddTo(Command command)
        {
            Open.AcceptOnlyFromAmong("fail", "finish");
            command.Add(Paths);
            foreach (Option option in new Option[] { Volume, Where, DryRun, Yes, Certificate, Backups, Open, Verify, Signer })
                command.Add(option);
            Key.AddTo(command);
        }
    }
}
