using System;
using System.Runtime.InteropServices;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>Keys for files to come that were made together, and what is derived of them. Used by one thread at a time.</summary>
internal sealed class KeyChunk : IDisposable
{
    /// <summary>So that a low RLIMIT_MEMLOCK has room for one at least.</summary>
    internal const int MostKeys = 512;

    /// <summary>
    /// Bytes of a file id that keys share which were made together. So their rows lie together in the index of ids, too: one that is random all over spreads each
    /// batch over as many pages as it has keys. The other 96 bits are random.
    /// </summary>
    internal const int PrefixSize = 4;

    private const int IdSize = 16, EntrySize = DataKey.KeySize + DataKey.DerivedSize;

    private readonly byte[] _fileIds;
    private readonly SecretMemory _keys;

    internal KeyChunk(int count, ReadOnlySpan<byte> prefix)
    {
        _fileIds = new byte[count * IdSize];
        _keys = new SecretMemory(count * EntrySize);
        Count = count;
        NonceSource.Fill(_fileIds);
        NonceSource.Fill(_keys.Bytes);
        for (int i = 0; i < count; i++)
        {
            while (!FileId(i)[PrefixSize..].ContainsAnyExcept((byte)0)) // format §4: never 0, whatever the prefix
                NonceSource.Fill(FileId(i)[PrefixSize..]);
            prefix.CopyTo(FileId(i));
            DataKey.Derive(Key(i), Derived(i));
        }
    }

    /// <summary>They lie at 0 .. Count - 1 and are taken from the end.</summary>
    internal int Count { get; private set; }

    internal Span<byte> FileId(int index) => _fileIds.AsSpan(index * IdSize, IdSize);

    private Span<byte> Key(int index) => _keys.Bytes.Slice(index * EntrySize, DataKey.KeySize);

    private Span<byte> Derived(int index) => _keys.Bytes.Slice(index * EntrySize + DataKey.KeySize, DataKey.DerivedSize);

    /// <summary>Inside a transaction. Rows are in the order in which their keys are taken, and so files are made.</summary>
    internal void Insert(UnlockedVolume volume, long now)
    {
        for (int i = Count - 1; i >= 0; i--)
            volume.Store.Files.InsertPooled(FileId(i), volume.Wrap(FileId(i), Key(i)), volume.Store.Volume, now);
    }

    internal UInt128 Take(Span<byte> fileId, Span<byte> key, Span<byte> derived)
    {
        Count--;
        FileId(Count).CopyTo(fileId);
        Key(Count).CopyTo(key);
        if (!derived.IsEmpty)
            Derived(Count).CopyTo(derived);
        Secret.Wipe(_keys.Bytes.Slice(Count * EntrySize, EntrySize));
        return MemoryMarshal.Read<UInt128>(fileId);
    }

    public void Dispose() => _keys.Dispose();
}
