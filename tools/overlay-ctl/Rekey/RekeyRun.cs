using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Ctl.Data;
using Overlay.Ctl.Verify;
using Overlay.Files;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Rekey;

/// <summary>One file after the other.</summary>
/// <param name="job">What names the same work when it is started again.</param>
internal sealed class RekeyRun(RawVolume volume, List<RekeyTarget> targets, string job, double bytesPerSecond)
{
    private readonly StoreConnection _store = volume.Unlocked.Store.Connection;

    internal Transfer Transfer { get; } = new() { AllFiles = targets.Count, AllBytes = targets.Sum(target => target.Size) };

    internal List<(string Path, string Reason)> Failed { get; } = [];

    /// <summary>When the run that this one goes on with was started.</summary>
    internal DateTimeOffset? Resumed { get; private set; }

    /// <summary>False: old wrapped keys are in the store's files yet.</summary>
    internal bool IsStoreClean { get; private set; } = true;

    internal void Run(bool isAnew, bool isQuiet)
    {
        if (!volume.IsShared)
            throw new ControlException(ExitCodes.Volume, "the volume's locks cannot be opened: nothing can be changed safely.");
        Resumed = RekeyJobs.Begin(_store, job, isAnew);
        Throttle throttle = new(bytesPerSecond);
        using (new TransferProgress(Transfer, !isQuiet))
        {
            foreach (RekeyTarget target in targets)
            {
                if (IsDoneAlready(target))
                    Transfer.Done++;
                else if (!TryRekey(target, throttle))
                    break;
            }
        }
        if (!Transfer.IsFull)
            RekeyJobs.End(_store, job);
        if (Transfer.Files > 0)
            IsStoreClean = StoreCleaning.TryClean(_store);
    }

    /// <summary>Has a key that was made since the run was first started; none that is unfinished.</summary>
    private bool IsDoneAlready(RekeyTarget target) =>
        Resumed is DateTimeOffset started && volume.Unlocked.Store.TryFindFile(target.FileId) is FileRow row && row.Created > started &&
        NextKeyTable.ReadWrapped(_store, target.FileId).Count == 0;

    /// <returns>False: the disk is full.</returns>
    private bool TryRekey(RekeyTarget target, Throttle throttle)
    {
        try
        {
            string? obstacle = new FileRekey(volume, target, throttle, Transfer.AddBytes).Run();
            if (obstacle is null)
                Transfer.AddFile();
            else
                Failed.Add((target.Relative, obstacle));
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.ENOENT)
        {
            Transfer.Done++; // deleted since
        }
        catch (ErrnoException exception)
        {
            Transfer.IsFull = FileRekey.DiskIsFull(exception);
            Failed.Add((target.Relative, exception.Message));
        }
        catch (VolumeException exception) when (exception.Error is VolumeError.StoreDamaged or VolumeError.DiskFull)
        {
            Transfer.IsFull = exception.Error == VolumeError.DiskFull;
            Failed.Add((target.Relative, exception.Message));
        }
        return !Transfer.IsFull;
    }

    internal int ExitCode => Transfer.IsFull ? ExitCodes.Failed : Failed.Count > 0 || !IsStoreClean ? ExitCodes.Unchecked : ExitCodes.Ok;

    internal void Print()
    {
        foreach ((string path, string reason) in Failed)
            Console.Error.WriteLine($"{FindingText.Escape(path)}: not rekeyed: {reason.TrimEnd('.')}.");
        if (Transfer.IsFull)
            Console.Error.WriteLine("overlay-ctl: the disk is full. Nothing is lost, and what was done stays done: make room, then start the same command again.");
        if (!IsStoreClean)
            Console.Error.WriteLine("overlay-ctl: old wrapped keys are still in the store's files: another process holds them, or there is no room to rewrite them. 'overlay-ctl store verify --compact' does it later.");
        string resumed = Resumed is null ? "" : $", {Transfer.Done} by the run of {Resumed.Value.ToLocalTime():yyyy-MM-dd HH:mm} that this one went on with";
        Console.WriteLine($"{Transfer.Files} files rekeyed ({Terminal.Progress.Size(Transfer.Bytes)}){resumed}, {Failed.Count} not");
    }

    internal void PrintJson() => Json.Print(writer =>
    {
        writer.WriteString("result", Transfer.IsFull ? "full" : Failed.Count > 0 ? "incomplete" : "complete");
        writer.WriteNumber("rekeyed", Transfer.Files);
        writer.WriteNumber("bytes", Transfer.Bytes);
        writer.WriteNumber("there", Transfer.Done);
        writer.WriteBoolean("storeClean", IsStoreClean);
        writer.WriteStartArray("notRekeyed");
        foreach ((string path, string reason) in Failed)
        {
            writer.WriteStartObject();
            writer.WriteString("path", path);
            writer.WriteString("reason", reason);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });
}
