using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Overlay.Crypto;
using Overlay.Format;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Policies;

/// <summary>overlay-ctl policy repath: files that were moved on purpose are judged by where they are now alone.</summary>
internal static class RepathCommand
{
    internal static Command Make()
    {
        Argument<string> volume = PolicyCommand.Volume();
        Argument<string[]> paths = new("PATH") { Description = "Files, or directories with all that is in them, relative to the volume; . is all of it.", Arity = ArgumentArity.OneOrMore };
        KeyOptions key = new();
        Command command = new("repath", "Files were moved on purpose: rules about where they were made do not hold for them any more.") { volume, paths };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            using KeySecret secret = key.Read(parsed);
            using UnlockedVolume unlocked = VolumeUnlocker.Unlock(parsed.GetValue(volume)!, secret);
            List<(byte[] FileId, string Path)> found = [];
            foreach (string path in parsed.GetValue(paths)!)
                Find(unlocked, Path.GetFullPath(path, unlocked.Root), found);
            Console.WriteLine($"{unlocked.SetPaths(found)} files of {unlocked.Root} count as made where they are.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Find(UnlockedVolume volume, string path, List<(byte[], string)> found)
    {
        if (path != volume.Root && !path.StartsWith(volume.Root + "/", StringComparison.Ordinal))
            throw new ControlException(ExitCodes.Usage, $"{path} does not lie in {volume.Root}.");
        if (Directory.Exists(path))
        {
            EnumerationOptions all = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };
            foreach (string file in Directory.EnumerateFiles(path, "*", all))
                if (!file.StartsWith(Path.Combine(volume.Root, VolumePaths.DirectoryName) + "/", StringComparison.Ordinal))
                    Look(volume, file, found);
        }
        else
        {
            Look(volume, path, found);
        }
    }

    private static void Look(UnlockedVolume volume, string path, List<(byte[], string)> found)
    {
        try
        {
            using RawFile file = new(path);
            byte[] head = new byte[FormatConstants.HeaderSize];
            bool isSealed = file.Read(0, head) == head.Length && FileHeader.Parse(head, out _) == HeaderFault.Ok
                && FileHeader.VolumeIdOf(head).SequenceEqual(volume.VolumeId.Span);
            if (isSealed)
                found.Add((FileHeader.FileIdOf(head).ToArray(), Path.GetRelativePath(volume.Root, path)));
        }
        catch (ErrnoException exception) when (exception.Errno == Files.Errno.EINVAL)
        {
            // No regular file: it has no key.
        }
    }
}
