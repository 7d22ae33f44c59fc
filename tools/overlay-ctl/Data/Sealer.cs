using System;
using System.Security.Cryptography;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Policy;

namespace Overlay.Ctl.Data;

/// <summary>Makes sealed copies of plain files, each with a new key.</summary>
internal sealed class Sealer(RawVolume volume, KeyPool keys) : IDisposable
{
    /// <summary>Reads end at multiples of it, so that every block but the last is written whole.</summary>
    private const int Chunk = 1 << 20;

    private readonly byte[] _plain = GC.AllocateUninitializedArray<byte>(Chunk, pinned: true);

    /// <summary>The copy is whole when this returns, but on the disk only after the file system was synced.</summary>
    /// <param name="target">Where it is going to be, relative to the volume: a policy may say how files there are stored.</param>
    /// <returns>Its file id.</returns>
    internal byte[] Seal(PlainSource source, string path, byte[] target, Action<long> copied)
    {
        using RawFile raw = RawFile.Create(path, isSyncedByOthers: true);
        using BlockCache cache = new(Chunk);
        byte[] fileId = new byte[FormatConstants.FileIdSize];
        using SealedFile file = Create(volume.Context(raw, cache), fileId, TreePath.Text(target));
        for (long at = 0; source.TryNextData(at, out long start, out long end); at = end)
            CopyRange(source, file, start, end, copied);
        Change(file, () => file.SetLength(source.Status.Size));
        file.Settle();
        file.Sync(dataOnly: false);
        return fileId;
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_plain);

    private SealedFile Create(FileContext context, byte[] fileId, string target)
    {
        FileSettings settings = volume.SettingsFor(target);
        byte[] secret = GC.AllocateUninitializedArray<byte>(DataKey.KeySize, pinned: true);
        context.Lock.Enter();
        try
        {
            if (keys.Count == 0)
                keys.Refill();
            keys.Take(fileId, secret);
            keys.NotePlace(fileId, target, settings);
            return SealedFile.Create(context, settings.Compress, settings.BlockSizeLog2, fileId, DataKey.Import(settings.Suite, secret));
        }
        finally
        {
            context.Lock.Exit();
            Secret.Wipe(secret);
        }
    }

    private void CopyRange(PlainSource source, SealedFile file, long start, long end, Action<long> copied)
    {
        for (long at = start; at < end;)
        {
            int wanted = (int)Math.Min(end - at, Chunk - at % Chunk);
            int count = source.Read(at, _plain.AsSpan(0, wanted));
            if (count == 0)
                return; // it was cut meanwhile: who asks whether it is unchanged is told
            Change(file, () =>
            {
                for (int done = 0; done < count;)
                    done += file.Write(at + done, _plain.AsSpan(done, count - done));
            });
            at += count;
            copied(count);
            source.CheckStillOurs();
        }
    }

    private static void Change(SealedFile file, Action change)
    {
        file.EnterWrite();
        try
        {
            change();
        }
        finally
        {
            file.ExitWrite();
        }
    }
}
