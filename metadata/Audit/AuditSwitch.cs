using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Audit;

/// <summary>Switches a volume's log on and off, archives its older files, and begins anew where it was damaged. Each of it is recorded.</summary>
public static class AuditSwitch
{
    /// <param name="acceptsLoss">Goes on in a new file, whatever happened to the last one; the gap stays to be seen.</param>
    public static void Enable(UnlockedVolume volume, AuditSubject who, bool acceptsLoss)
    {
        ArgumentNullException.ThrowIfNull(volume);
        string directory = AuditFiles.DirectoryOf(volume.Store.Path);
        _ = VolumeFiles.TryMakeDirectory(directory);
        VolumeFiles.Sync(Path.GetDirectoryName(directory)!);
        MakeSecret(volume);
        using AuditLog log = AuditLog.TryOpen(volume) ?? Begin(volume);
        if (acceptsLoss)
            StepOver(log, volume.Store.Connection, directory);
        log.Add(Event(who, acceptsLoss ? "on; a loss was accepted" : "on"));
        log.Flush(head => head with { IsOn = true });
    }

    public static void Disable(UnlockedVolume volume, AuditSubject who) => Change(volume, who, "off", head => head with { IsOn = false });

    /// <summary>Moves all files of the log but the newest to a directory; from then on the log begins behind them.</summary>
    /// <returns>How many.</returns>
    public static int Archive(UnlockedVolume volume, AuditSubject who, string target)
    {
        ArgumentNullException.ThrowIfNull(volume);
        string directory = AuditFiles.DirectoryOf(volume.Store.Path);
        using AuditLog log = AuditLog.TryOpen(volume) ?? throw NeverOn(volume);
        AuditHead head = log.ReadHead()!;
        List<long> moved = [.. AuditFiles.List(directory).Where(number => number < head.Segment)];
        if (moved.Count == 0)
            return 0;
        foreach (long number in moved)
            Copy(AuditFiles.PathOf(directory, number), AuditFiles.PathOf(target, number));
        VolumeFiles.Sync(target);
        (long before, byte[] chain) = LastOf(AuditFiles.PathOf(directory, moved[^1]));
        log.Add(Event(who, $"archived: files {moved[0]} to {moved[^1]}, up to record {before}, in {target}"));
        // Only then do they go: whoever is killed in between has them twice.
        log.Flush(now => now with { FirstSegment = moved[^1] + 1, FirstBefore = before, FirstChain = chain });
        moved.ForEach(number => VolumeFiles.RemoveIfThere(AuditFiles.PathOf(directory, number)));
        return moved.Count;
    }

    /// <summary>What <see cref="Archive"/> would move; oldest first.</summary>
    public static IReadOnlyList<string> FilesToArchive(UnlockedVolume volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        string directory = AuditFiles.DirectoryOf(volume.Store.Path);
        using AuditLog log = AuditLog.TryOpen(volume) ?? throw NeverOn(volume);
        long newest = log.ReadHead()!.Segment;
        return [.. AuditFiles.List(directory).Where(number => number < newest).Select(number => AuditFiles.PathOf(directory, number))];
    }

    private static void Change(UnlockedVolume volume, AuditSubject who, string what, Func<AuditHead, AuditHead> change)
    {
        ArgumentNullException.ThrowIfNull(volume);
        using AuditLog log = AuditLog.TryOpen(volume) ?? throw NeverOn(volume);
        log.Add(Event(who, what));
        log.Flush(change);
    }

    private static VolumeException NeverOn(UnlockedVolume volume) => new(VolumeError.BadOption, $"The audit log of {volume.Root} was never on; 'overlay-ctl audit enable' switches it on.");

    private static AuditEvent Event(AuditSubject who, string what) => new(AuditKinds.Log, who, "ok") { Detail = what };

    private static void MakeSecret(UnlockedVolume volume)
    {
        using SecretMemory key = new(VolumeSecrets.Size);
        NonceSource.Fill(key.Bytes);
        volume.Store.Connection.InTransaction(() =>
        {
            volume.CheckCurrent();
            VolumeSecrets.Insert(volume, AuditLog.SecretName, key.Bytes, []);
        });
    }

    private static AuditLog Begin(UnlockedVolume volume)
    {
        using SecretMemory key = new(VolumeSecrets.Size);
        _ = VolumeSecrets.TryRead(volume, AuditLog.SecretName, key.Bytes, out _);
        byte[] none = new byte[AuditLine.ChainSize];
        volume.Store.Connection.InTransaction(() =>
        {
            if (AuditHead.Read(volume.Store.Connection, key.Bytes) is null)
                new AuditHead(IsOn: false, 0, 1, 0, none, 1, 0, none).Write(volume.Store.Connection, key.Bytes);
        });
        return AuditLog.TryOpen(volume) ?? throw StoreErrors.Damaged(volume.Store.Path, "the audit log cannot be begun.");
    }

    private static void StepOver(AuditLog log, StoreConnection store, string directory)
    {
        using IDisposable held = AuditFiles.Lock(directory);
        AuditHead head = log.ReadHead()!;
        long last = Math.Max(head.Segment, AuditFiles.List(directory).DefaultIfEmpty(0).Max());
        AuditHead next = head with { Segment = last + 1, Length = 0 };
        store.InTransaction(() => next.Write(store, log.Key));
    }

    private static void Copy(string from, string to)
    {
        File.Copy(from, to + VolumePaths.UnfinishedSuffix, overwrite: true);
        _ = FileCalls.ChangeMode(to + VolumePaths.UnfinishedSuffix, 0x180);
        VolumeFiles.Sync(to + VolumePaths.UnfinishedSuffix);
        VolumeFiles.Rename(to + VolumePaths.UnfinishedSuffix, to);
    }

    private static (long Sequence, byte[] Chain) LastOf(string path)
    {
        AuditRecord? last = null;
        foreach (AuditRecord record in AuditReader.Read(path))
            last = record;
        return last is { Chain: byte[] chain } ? (last.Sequence, chain)
            : throw new VolumeException(VolumeError.StoreDamaged, $"The audit log {path} does not end with a sound record; nothing was archived.");
    }
}
