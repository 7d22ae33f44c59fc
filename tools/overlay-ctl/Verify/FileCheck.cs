using System;
using System.Linq;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Verify;

/// <summary>Looks at one backing file.</summary>
internal sealed class FileCheck(RawVolume volume, string path, Action<Finding> report)
{
    /// <summary>A survey reads each block once: the cache only has to exist.</summary>
    private const int LeastCache = 1 << 16;

    private readonly string _relative = VolumeWalk.Relative(volume.Unlocked.Root, path);

    internal FileSurvey? Survey { get; private set; }

    /// <summary>16 bytes; null: the file has no header that could be read.</summary>
    internal byte[]? FileId { get; private set; }

    internal long StaleBytes { get; private set; }

    internal bool IsDamaged { get; private set; }

    internal void Run()
    {
        try
        {
            using RawFile file = new(path);
            using BlockCache cache = new(LeastCache);
            Look(file, cache);
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.ENOENT)
        {
            // Deleted since the directory was read.
        }
        catch (ErrnoException exception)
        {
            Report(Kind.Unreadable, exception.Message);
        }
        catch (VolumeException exception)
        {
            Report(Kind.DamagedKey, exception.Message);
        }
    }

    private void Look(RawFile file, BlockCache cache)
    {
        OpenResult result = volume.TryOpen(file, cache, out SealedFile? opened);
        using SealedFile? sealedFile = opened;
        bool isMarked = (file.Status.Mode & FormatConstants.SealedModeBit) != 0;
        if (sealedFile is null)
        {
            Explain(result, isMarked, file);
            return;
        }
        FileId = sealedFile.FileId.ToArray();
        if (!isMarked)
            Report(Kind.Unmarked, "the sticky bit that marks sealed files is missing: stat shows a wrong size");
        HashSet<string> told = [];
        Survey = sealedFile.Survey(damage => Report(damage, told));
        StaleBytes = sealedFile.CountStale(file);
        if (StaleBytes > 0)
            Report(Kind.StaleSpace, $"{StaleBytes} bytes that nothing needs");
        if (IsBeingRekeyed(FileId))
            Report(Kind.Rekeying, sealedFile.Header.HasTwoKeys ? "it is being given another key, and some of it has the old one" : "it is being given another key");
        CheckStatSize(file, sealedFile);
        CheckDigest(Survey.Digest);
        foreach (string line in file.Lines.Except(told).Distinct())
            Report(Kind.PowerLoss, line);
    }

    private void Report(FileDamage damage, HashSet<string> told)
    {
        IsDamaged = true;
        told.Add(damage.Cause);
        report(new Finding(damage.Block < 0 ? Kind.DamagedRecord : Kind.DamagedBlock, _relative, damage.Cause)
        {
            Block = damage.Block, Offset = damage.PlainOffset, Length = damage.PlainLength, StoredOffset = damage.StoredOffset,
        });
    }

    private void Explain(OpenResult result, bool isMarked, RawFile file)
    {
        Span<byte> head = stackalloc byte[FormatConstants.HeaderSize];
        if (file.Read(0, head) == head.Length && FileHeader.Parse(head, out _) == HeaderFault.Ok)
            FileId = FileHeader.FileIdOf(head).ToArray();
        Kind? kind = result.Status switch
        {
            OpenStatus.Newborn => isMarked ? Kind.DamagedHeader : null,
            OpenStatus.NotSealed => isMarked ? Kind.DamagedHeader : Kind.Plaintext,
            OpenStatus.UnsupportedVersion => Kind.UnknownVersion,
            OpenStatus.ForeignVolume => Kind.ForeignVolume,
            OpenStatus.NoKey => IsShredded() ? Kind.Shredded : Kind.NoKey,
            OpenStatus.WrongKey => Kind.WrongKey,
            _ => Kind.DamagedHeader,
        };
        if (kind is null)
            return; // newborn: empty, its first writer gives it a header
        IsDamaged = kind == Kind.DamagedHeader;
        string cause = result.Status == OpenStatus.Newborn ? "it was cut to nothing outside of Overlay"
            : kind == Kind.DamagedHeader ? "the header is damaged" : result.Reason;
        report(new Finding(kind, _relative, cause) { StoredOffset = 0 });
    }

    private bool IsBeingRekeyed(byte[] fileId)
    {
        lock (volume.Unlocked)
            return NextKeyTable.ReadWrapped(volume.Unlocked.Store.Connection, fileId).Count > 0;
    }

    private bool IsShredded()
    {
        lock (volume.Unlocked)
            return FileId is not null && ShredTable.TryFind(volume.Unlocked.Store.Connection, FileId) is not null;
    }

    private void CheckDigest(DigestState digest)
    {
        if (digest == DigestState.Differs)
            Report(Kind.RolledBackBlocks, "blocks were put back to an older state: together they are not what the header knows");
        else if (digest == DigestState.DiffersUnsynced)
            Report(Kind.RolledBackBlocks, "blocks were put back to an older state, or unsynced ones were lost with the power: together they are not what the header knows");
        else if (digest == DigestState.InUse)
            Report(Kind.InUse, "a program is writing it, or was killed while it was: single blocks that were put back to an older state would not be noticed");
    }

    /// <summary>st_size is not authenticated; it only serves stat (format §8).</summary>
    private void CheckStatSize(RawFile file, SealedFile sealedFile)
    {
        if (IsDamaged || BlockSizeDiffers(sealedFile) || Says(file) is not long first || first == sealedFile.Length)
            return;
        // A writer may have come in between: only a difference that stays is one.
        if (sealedFile.WhileNobodyWrites(length => Says(file) is long size && size != length ? size : -1) is long said and >= 0)
            Report(Kind.WrongSize, $"stat shows {said} bytes, the file has {sealedFile.Length}");
    }

    private bool BlockSizeDiffers(SealedFile sealedFile) => sealedFile.BlockSize != 1 << volume.BlockSizeLog2;

    private long? Says(RawFile file) => SettledSize.Decode(new Geometry(volume.BlockSizeLog2), file.Length) is long size and >= 0 ? size : null;

    private void Report(Kind kind, string cause) => report(new Finding(kind, _relative, cause));
}
