using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Rekey;

/// <summary>Gives one file another key while programs use it (docs/keys.md, Rekeying). Killed at any point, the same goes on.</summary>
internal sealed class FileRekey(RawVolume volume, RekeyTarget target, Throttle throttle, Action<long> progress, CancellationToken stop = default)
{
    private const int LeastCache = 1 << 16;

    /// <summary>So much is sealed anew before it is synced, and what it replaced is freed.</summary>
    private const long FreedAfter = 32 << 20;

    /// <summary>How many parts were done when the disk was full last.</summary>
    private long _partsWhenFull;

    private readonly UnlockedVolume _unlocked = volume.Unlocked;

    /// <returns>What stands in the way; null: it is done.</returns>
    internal string? Run()
    {
        using RawFile file = new(target.Path, canWrite: true);
        using BlockCache cache = new(LeastCache);
        OpenResult result = volume.TryOpen(file, cache, out SealedFile? opened);
        if (opened is null)
            return result.Status == OpenStatus.Newborn ? null : result.Reason;
        using SealedFile sealedFile = opened;
        if (!sealedFile.FileId.SequenceEqual(target.FileId))
            return null; // another file has this name since, with a key of its own
        byte[] next = GC.AllocateUninitializedArray<byte>(DataKey.KeySize, pinned: true);
        try
        {
            if (!_unlocked.TryMakeNextKey(target.FileId, target.Relative, next))
                return "the store has no key of it any more: it was shredded";
            return Reseal(sealedFile, file, next);
        }
        finally
        {
            Secret.Wipe(next);
        }
    }

    private string? Reseal(SealedFile file, RawFile raw, byte[] next)
    {
        byte[] check = CheckOf(file.Header.Suite, next);
        if (!file.BeginRekey(next))
            return "it has come to another key than the store knows: the store was put back to an older state";
        RekeyWalk walk = new(check);
        long done = 0, freed = 0;
        while (ResealSome(file, raw, walk))
        {
            if (stop.IsCancellationRequested)
                return "it was stopped, and will be gone on with";
            progress(walk.Bytes - done);
            throttle.Wait(walk.Bytes - done);
            done = walk.Bytes;
            if (done - freed < FreedAfter)
                continue;
            freed = done;
            file.FreeResealed();
            if (_unlocked.Store.TryFindFile(target.FileId) is null)
                return "it was shredded meanwhile";
            NextKeyTable.SetProgress(_unlocked.Store.Connection, target.FileId, done, file.Length);
        }
        file.EndRekey(walk);
        return Complete(file, check);
    }

    /// <summary>A disk that is full may have room as soon as what was replaced is given back.</summary>
    private bool ResealSome(SealedFile file, RawFile raw, RekeyWalk walk)
    {
        try
        {
            return file.Reseal(walk);
        }
        catch (ErrnoException exception) when (DiskIsFull(exception) && walk.Parts > _partsWhenFull)
        {
            _partsWhenFull = walk.Parts;
            _ = file.FreeStale(raw);
            return file.Reseal(walk);
        }
    }

    internal static bool DiskIsFull(ErrnoException exception) => exception.Errno is Errno.ENOSPC or Errno.EDQUOT;

    /// <summary>What it was sealed for counts for the new key, so it is told first.</summary>
    private string? Complete(SealedFile file, byte[] check)
    {
        if (file.TryTakeNews(out ulong sequence, out uint seals))
            _unlocked.Store.Connection.InTransaction(() => _unlocked.Store.Files.RaiseSequence(target.FileId, sequence, volume.BootWord, seals));
        if (!file.HasOnlyKey(check))
            return "another process rekeys it as well: start this again when that has ended";
        bool isDone = _unlocked.TryPromote(target.FileId, file.Header.Suite, check);
        return isDone || HasNoNext() ? null : "its key could not be put in the old one's place";
    }

    /// <summary>Another process has done it.</summary>
    private bool HasNoNext() => NextKeyTable.ReadWrapped(_unlocked.Store.Connection, target.FileId).Count == 0;

    private static byte[] CheckOf(CipherSuite suite, byte[] secret)
    {
        using DataKey key = DataKey.Import(suite, secret);
        return key.KeyCheck.ToArray();
    }
}
