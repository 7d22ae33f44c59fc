using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Files;

/// <summary>
/// Lets the filter read one file's cached blocks without asking the engine (shim/native/cached_read.c): it holds for as long as the inode's
/// coherence word stands. Whoever changes it holds the file's gate.
/// </summary>
/// <remarks>The memory is never given back, only to another file: a reader that is late finds another version.</remarks>
public sealed unsafe class CachedFile
{
    /// <summary>No word at rest: its low 16 bits would be 0.</summary>
    private const ulong Never = ~0UL;

    private const int FilesAtOnce = 64;

    /// <summary>No count of forks.</summary>
    private const int Shared = -1;

    private static readonly Stack<nint> s_free = new();

    private readonly CachedFileData* _data;

    /// <param name="word">The inode's counter of format §8; stays mapped.</param>
    /// <param name="liveWord">The inode's word of <c>LiveTable</c>; stays mapped.</param>
    public CachedFile(ulong* word, ulong* liveWord, int blockSizeLog2)
    {
        _data = Rent();
        Begin();
        _data->ValidWord = Never;
        _data->Word = word;
        _data->LiveWord = liveWord;
        _data->ForkCount = Shared;
        _data->Offset = 0;
        _data->SliceSizeLog2 = System.Math.Min(blockSizeLog2, BlockCache.SliceSizeLog2);
        End();
    }

    public CachedFileData* Data => _data;

    /// <summary>What is cached under the stamp is the file while the coherence word is <paramref name="word"/>.</summary>
    public void Show(ulong word, long stamp, long size)
    {
        if (_data->ValidWord == word && _data->Stamp == stamp && _data->Size == size)
            return;
        Begin();
        _data->ValidWord = (word & 0xFFFF) == 0 ? word : Never;
        _data->Stamp = stamp;
        _data->Size = size;
        End();
    }

    /// <summary>Whose offsets its descriptors have: this process's alone, as long as the count of forks is this one; or also others'.</summary>
    public void ShowOffsets(bool areShared, int forkCount)
    {
        Begin();
        _data->ForkCount = areShared ? Shared : forkCount;
        End();
    }

    public void NoteOffset(long offset) => Volatile.Write(ref _data->Offset, offset);

    /// <summary>The file is let go of; its descriptors no longer lead here.</summary>
    public void Return()
    {
        Begin();
        _data->ValidWord = Never;
        _data->Stamp = 0;
        End();
        lock (s_free)
            s_free.Push((nint)_data);
    }

    private void Begin() => Interlocked.Increment(ref _data->Version);

    private void End() => Volatile.Write(ref _data->Version, _data->Version + 1);

    private static CachedFileData* Rent()
    {
        lock (s_free)
        {
            if (s_free.Count == 0)
            {
                CachedFileData* files = (CachedFileData*)NativeMemory.AlignedAlloc((nuint)(FilesAtOnce * sizeof(CachedFileData)), 64);
                NativeMemory.Clear(files, (nuint)(FilesAtOnce * sizeof(CachedFileData)));
                for (int i = 0; i < FilesAtOnce; i++)
                    s_free.Push((nint)(files + i));
            }
            return (CachedFileData*)s_free.Pop();
        }
    }
}
