using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Overlay.Crypto;
using Overlay.Ctl.Terminal;
using Overlay.Ctl.Verify;
using Overlay.Files;
using Overlay.Format;
using Overlay.Metadata.Agent;

namespace Overlay.Ctl.Repair;

/// <summary>Goes through the files and does what the plan says, one line each.</summary>
internal sealed class RepairRun(RawVolume volume, RepairPlan plan) : IDisposable
{
    private KeyPool? _keys;
    private long _freed;
    private int _damaged, _saved, _failed, _unaccepted;

    /// <param name="file">One file; null: all of the volume.</param>
    internal int Run(string? file)
    {
        if (!volume.IsShared && !plan.IsDryRun)
            throw new ControlException(ExitCodes.Volume, "the volume's locks cannot be opened: nothing can be changed safely. Run as the volume's owner, or as root.");
        List<string> files = file is null ? Walk() : [file];
        int visited = 0;
        // Lines go to standard output: where both are one terminal they would be written into each other.
        using (new ProgressBar(TerminalCalls.IsTerminal(Screen.Output) != 1, () => (Volatile.Read(ref visited), files.Count)))
        {
            foreach (string path in files)
            {
                Visit(path);
                Interlocked.Increment(ref visited);
            }
        }
        string would = plan.IsDryRun ? "would be " : "";
        Console.WriteLine($"{_freed} bytes {would}freed, {_damaged} damaged files, {_saved} {would}saved{(_failed > 0 ? $", {_failed} could not be handled" : "")}");
        if (plan.IsDryRun && !(plan.Reclaims || plan.Salvages || plan.Accepts))
            Console.WriteLine("Nothing was changed: give --reclaim, --salvage or --accept.");
        return _damaged > 0 || _unaccepted > 0 ? ExitCodes.Damaged : _failed > 0 ? ExitCodes.Unchecked : ExitCodes.Ok;
    }

    public void Dispose()
    {
        _keys?.Retire();
        _keys?.Dispose();
    }

    private List<string> Walk()
    {
        VolumeWalk walk = new(volume.Unlocked.Root, finding => Fail(finding.Path, finding.Cause));
        walk.Run();
        return walk.Files;
    }

    private void Visit(string path)
    {
        string relative = VolumeWalk.Relative(volume.Unlocked.Root, path);
        List<Finding> findings = [];
        FileCheck check = new(volume, path, findings.Add);
        check.Run();
        try
        {
            foreach (Finding finding in findings.Where(finding => finding.Weight == Weight.Unchecked))
                Fail(relative, finding.Cause);
            if (check.IsDamaged)
            {
                Salvage(path, relative);
                return;
            }
            if (check.Survey is FileSurvey survey)
                Accept(path, relative, survey);
            if (findings.Any(finding => finding.Kind == Kind.StaleSpace || finding.Kind == Kind.Unmarked || finding.Kind == Kind.WrongSize))
                Reclaim(path, relative, check.StaleBytes);
        }
        catch (Exception exception) when (exception is ErrnoException or IOException or UnauthorizedAccessException)
        {
            Fail(relative, exception.Message);
        }
    }

    private void Reclaim(string path, string relative, long staleBytes)
    {
        if (plan.IsDryRun || !plan.Reclaims)
        {
            _freed += plan.IsDryRun ? staleBytes : 0;
            Say(relative, $"{staleBytes} bytes can be freed (--reclaim)");
            return;
        }
        Change(path, (sealedFile, file) =>
        {
            if ((file.Status.Mode & FormatConstants.SealedModeBit) == 0)
                file.SetMode((file.Status.Mode & 0xFFFu) | FormatConstants.SealedModeBit);
            long freed = sealedFile.FreeStale(file);
            sealedFile.Settle();
            _freed += freed;
            Say(relative, $"{freed} bytes freed");
        });
    }

    /// <summary>Whether it is right that something is older than it was, only people know.</summary>
    private void Accept(string path, string relative, FileSurvey survey)
    {
        ulong known = volume.Unlocked.Store.TryFindFile(survey.FileId)?.Sequence ?? 0;
        bool isInexact = survey.Digest is DigestState.Differs or DigestState.DiffersUnsynced or DigestState.InUse;
        if (known <= survey.Sequence && !isInexact)
            return;
        if (plan.IsDryRun || !plan.Accepts)
        {
            Say(relative, "its state is not known to be the newest (--accept)");
            _unaccepted++;
            return;
        }
        Change(path, (sealedFile, _) =>
        {
            sealedFile.AcceptState(known);
            sealedFile.Sync(dataOnly: false);
            volume.Unlocked.RaiseSequences([(survey.FileId, sealedFile.Header.Sequence)], volume.BootWord);
        });
        Say(relative, "accepted as it is");
    }

    /// <summary>The program that uses the file shall not see it in the times.</summary>
    private void Change(string path, Action<SealedFile, RawFile> change)
    {
        using RawFile file = new(path, canWrite: true);
        using BlockCache cache = new(1 << 16);
        OpenResult result = volume.TryOpen(file, cache, out SealedFile? opened);
        using SealedFile sealedFile = opened ?? throw new ErrnoException(Errno.EIO, result.Reason);
        change(sealedFile, file);
        file.SetTimes(file.Status);
    }

    private void Salvage(string path, string relative)
    {
        _damaged++;
        using RawFile original = new(path);
        using BlockCache cache = new(1 << 16);
        Salvager salvager = new(volume, original, relative);
        using SealedFile? file = salvager.Open(cache);
        if (file is null)
        {
            Say(relative, "damaged; nothing can be saved: no key is known that fits it");
            return;
        }
        if (plan.IsDryRun || !plan.Salvages)
        {
            salvager.Save(file, target: null);
            Tell(salvager, relative, "damaged (--salvage)");
            return;
        }
        string savedPath = plan.Output is null ? path + ".salvaged" : Path.Combine(plan.Output, Path.GetFileName(path));
        SaveOrLeaveNothing(salvager, file, savedPath, original);
        if (plan.Replaces)
        {
            MoveAside(path, path + ".damaged");
            File.Move(savedPath, path, overwrite: false);
            savedPath = path;
        }
        _saved++;
        Tell(salvager, relative, $"damaged; saved to {savedPath}{(IsPlain(savedPath) ? " (plaintext)" : "")}");
    }

    private void SaveOrLeaveNothing(Salvager salvager, SealedFile file, string path, RawFile original)
    {
        using ISaveTarget target = MakeTarget(path, original);
        try
        {
            salvager.Save(file, target);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    private ISaveTarget MakeTarget(string path, RawFile original)
    {
        if (File.Exists(path))
            throw new IOException($"{path} is there already");
        return IsPlain(path) ? new PlainTarget(path) : new SealedTarget(volume, _keys ??= new KeyPool(volume.Unlocked), path, original);
    }

    private static bool IsPlain(string path) => RepairCommand.RootOf(path) is null;

    private static void MoveAside(string path, string aside)
    {
        if (File.Exists(aside))
            throw new IOException($"{aside} is there already");
        File.Move(path, aside, overwrite: false);
    }

    private static void Tell(Salvager salvager, string relative, string what)
    {
        Say(relative, $"{what}; {salvager.SavedBytes} of {salvager.Size} bytes can be read{(salvager.IsSizeGuessed ? " (the size is a guess)" : "")}");
        if (!salvager.Lost.IsEmpty)
            Say(relative, $"lost, zeros in their place: {salvager.Lost.Bytes} bytes: {salvager.Lost}");
        if (!salvager.Doubtful.IsEmpty)
            Say(relative, $"doubtful, maybe of an older state: {salvager.Doubtful.Bytes} bytes: {salvager.Doubtful}");
    }

    private void Fail(string relative, string cause)
    {
        _failed++;
        Say(relative, $"not handled: {cause}");
    }

    private static void Say(string relative, string what) => Console.WriteLine($"{FindingText.Escape(relative)}: {what}");
}
