using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Repair;

/// <summary>A new sealed file of the same volume, with a key of its own, and mode, owner and times of the damaged one.</summary>
internal sealed class SealedTarget : ISaveTarget
{
    private readonly RawFile _raw;
    private readonly BlockCache _cache = new(1 << 20);
    private readonly SealedFile _file;
    private readonly RawFile _original;

    internal SealedTarget(RawVolume volume, KeyPool keys, string path, RawFile original)
    {
        FilePath = path;
        _original = original;
        _raw = RawFile.Create(path);
        FileContext context = volume.Context(_raw, _cache);
        byte[] fileId = new byte[FormatConstants.FileIdSize];
        byte[] secret = GC.AllocateUninitializedArray<byte>(DataKey.KeySize, pinned: true);
        try
        {
            if (keys.Count == 0)
                keys.Refill();
            keys.Take(fileId, secret);
            UnlockedVolume unlocked = volume.Unlocked;
            DataKey key = DataKey.Import(unlocked.Suite, secret);
            context.Lock.Enter();
            try
            {
                _file = SealedFile.Create(context, unlocked.Compress, unlocked.BlockSizeLog2, fileId, key);
            }
            finally
            {
                context.Lock.Exit();
            }
        }
        finally
        {
            Secret.Wipe(secret);
        }
        _raw.SetMode(0x180 | FormatConstants.SealedModeBit);
        keys.NoteCreated(fileId, System.IO.Path.GetRelativePath(volume.Unlocked.Root, path));
    }

    public string FilePath { get; }

    public void Write(long offset, ReadOnlySpan<byte> plain)
    {
        _file.EnterWrite();
        try
        {
            for (int done = 0; done < plain.Length;)
                done += _file.Write(offset + done, plain[done..]);
        }
        finally
        {
            _file.ExitWrite();
        }
    }

    public void Complete(long size)
    {
        _file.EnterWrite();
        try
        {
            _file.SetLength(size);
        }
        finally
        {
            _file.ExitWrite();
        }
        _file.Settle();
        _file.Sync(dataOnly: false);
        _raw.TakeOwner(_original.Status);
        _raw.SetMode((_original.Status.Mode & 0xFFFu) | FormatConstants.SealedModeBit);
        _raw.SetTimes(_original.Status);
    }

    public void Dispose()
    {
        _file.Dispose();
        _raw.Dispose();
        _cache.Dispose();
    }
}
