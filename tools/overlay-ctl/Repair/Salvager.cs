using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Repair;

/// <summary>Copies what can be read of a damaged file, and keeps account of what cannot.</summary>
internal sealed class Salvager(RawVolume volume, RawFile original, string relativePath)
{
    internal ByteRanges Lost { get; } = new();

    internal ByteRanges Doubtful { get; } = new();

    internal long Size { get; private set; }

    internal long SavedBytes { get; private set; }

    /// <summary>The header is gone: the size is what the rest of the file shows.</summary>
    internal bool IsSizeGuessed { get; private set; }

    /// <summary>Null: nothing can be read without its key, or nothing is left.</summary>
    internal SealedFile? Open(BlockCache cache)
    {
        OpenResult result = volume.TryOpen(original, cache, out SealedFile? file);
        if (file is not null)
        {
            Size = file.Length;
            return file;
        }
        if (result.Status is not (OpenStatus.Damaged or OpenStatus.NotSealed or OpenStatus.Newborn))
            return null;
        IsSizeGuessed = true;
        List<(SealedFile File, long Size)> candidates = OpenGuesses(cache);
        return candidates.Count > 0 ? TakeBest(candidates) : null;
    }

    /// <summary>Two passes over the file are made where the header is damaged: which guess is right shows only then.</summary>
    internal void Save(SealedFile file, ISaveTarget? target)
    {
        long end = 0;
        file.Salvage((block, fate, plain) =>
        {
            long offset = block * file.BlockSize;
            long length = Math.Min(file.BlockSize, Math.Max(0, Size - offset));
            if (fate == BlockFate.Lost)
                Lost.Add(offset, length);
            if (fate == BlockFate.Doubtful)
                Doubtful.Add(offset, length);
            if (plain.IsEmpty)
                return;
            plain = plain[..(int)Math.Min(plain.Length, length)];
            end = Math.Max(end, offset + plain.Length);
            SavedBytes += plain.Length;
            target?.Write(offset, plain);
        });
        if (IsSizeGuessed)
            Size = SizeFromBacking(file.BlockSize) is long size && size >= end ? size : end;
        Lost.CutAt(Size);
        Doubtful.CutAt(Size);
        target?.Complete(Size);
    }

    private SealedFile TakeBest(List<(SealedFile File, long Size)> candidates)
    {
        (SealedFile best, long most) = (candidates[0].File, -1L);
        foreach ((SealedFile file, long size) in candidates)
        {
            long readable = 0;
            file.Salvage((_, _, plain) => readable += plain.Length);
            if (readable > most)
                (best, most, Size) = (file, readable, size);
        }
        foreach ((SealedFile file, _) in candidates)
            if (file != best)
                file.Dispose();
        return best;
    }

    /// <summary>st_size says the size of a settled file, unless it was changed, too.</summary>
    private long? SizeFromBacking(int blockSize)
    {
        long size = SettledSize.Decode(new Geometry(System.Numerics.BitOperations.Log2((uint)blockSize)), original.Length);
        return size >= 0 ? size : null;
    }

    /// <summary>What the header may have said: by its own bytes, where they make sense, and by the store's row of that path.</summary>
    private List<(SealedFile File, long Size)> OpenGuesses(BlockCache cache)
    {
        List<(byte[] FileId, CipherSuite Suite, int BlockSizeLog2)> guesses = [];
        byte[] head = new byte[FormatConstants.HeaderSize];
        if (original.Read(0, head) == head.Length && FileHeader.Parse(head, out FileHeader header) == HeaderFault.Ok)
            guesses.Add((FileHeader.FileIdOf(head).ToArray(), header.Suite, header.BlockSizeLog2));
        foreach (FileRow row in volume.Unlocked.Store.ReadFiles().Where(row => row.Path == relativePath))
            guesses.Add((row.FileId.ToArray(), row.Suite, row.BlockSizeLog2));

        List<(SealedFile, long)> opened = [];
        byte[] secrets = GC.AllocateUninitializedArray<byte>(2 * DataKey.KeySize, pinned: true);
        foreach ((byte[] fileId, CipherSuite suite, int blockSizeLog2) in guesses)
        {
            int count = GetKeys(fileId, secrets);
            if (count == 0)
                continue;
            long epoch = volume.Unlocked.Store.TryFindFile(fileId)?.KeyEpoch ?? 0;
            Geometry geometry = new(blockSizeLog2);
            long greatest = (original.Length / geometry.GroupStride + 1) * geometry.GroupSize;
            foreach ((bool isIndexed, long size) in new[] { (true, greatest), (false, geometry.BlockSize) })
                opened.Add((SealedFile.OpenWithoutHeader(volume.Context(original, cache), blockSizeLog2, isIndexed, fileId, KeyOf(suite, secrets, 0, epoch), size,
                    count > 1 ? KeyOf(suite, secrets, 1, epoch) : null), size));
            Secret.Wipe(secrets);
        }
        return opened;
    }

    /// <summary>Which of a file's keys has sealed something, that says: but the header, which would say which keys those are, is damaged.</summary>
    private static DataKey KeyOf(CipherSuite suite, byte[] secrets, int place, long epoch)
    {
        DataKey key = DataKey.Import(suite, secrets.AsSpan(place * DataKey.KeySize, DataKey.KeySize));
        key.Epoch = (int)((epoch + place) % FormatConstants.KeyEpochs);
        return key;
    }

    private int GetKeys(byte[] fileId, byte[] secrets)
    {
        try
        {
            return volume.GetKeysAnew(fileId, secrets);
        }
        catch (VolumeException)
        {
            return 0; // verify tells of the damaged row
        }
    }
}
