using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Pages;

namespace Overlay.Engine;

/// <summary>mmap and what follows it: munmap, mremap, mprotect, msync.</summary>
internal sealed unsafe partial class FileEngine
{
    private const int PageSize = 4096;

    private readonly MappingTable _mappings = new();

    internal long Map(long address, ulong length, int protection, int flags, int fd, long offset)
    {
        OpenFile file;
        using (Operation operation = Begin(fd))
        {
            file = operation.File;
            file.CheckKey(isOpening: false);
            bool isShared = (flags & Kernel.MAP_TYPE) is Kernel.MAP_SHARED or Kernel.MAP_SHARED_VALIDATE;
            if (length == 0 || offset % PageSize != 0 || (!isShared && (flags & Kernel.MAP_TYPE) != Kernel.MAP_PRIVATE))
                throw new ErrnoException(Errno.EINVAL, "no length, an offset inside a page, or neither shared nor private");
            if (!AccessMode.MayRead(operation.Flags))
                throw new ErrnoException(Errno.EACCES, "not open for reading");
            if (!isShared)
                return MapPrivate(file, address, length, protection, flags, offset);
            bool canWrite = (operation.Flags & Kernel.O_ACCMODE) == Kernel.O_RDWR;
            if ((protection & Kernel.PROT_WRITE) != 0 && !canWrite)
                throw new ErrnoException(Errno.EACCES, "not open for writing");
            file.AddMapping();
            bool isLast = false;
            try
            {
                long mapped = TryMapShared(file, address, length, protection, flags, fd, canWrite, offset);
                if (mapped != 0)
                    return mapped;
            }
            finally
            {
                isLast = file.RemoveMapping();
            }
            if (!isLast || !file.IsUnused)
                return MapPrivate(file, address, length, protection, flags, offset); // nobody whom we could follow writes
        }
        LetGoIfUnused(file); // its descriptor was closed meanwhile
        throw new ErrnoException(Errno.EBADF, "not an open sealed file");
    }

    /// <summary>Before a mapping that takes the place of others, made by the kernel itself.</summary>
    internal long MapOver(long address, ulong length)
    {
        Unregister(address, length);
        return 0;
    }

    internal long Unmap(long address, ulong length)
    {
        long end = End(address, length);
        SealRange(address, end);
        List<OpenFile> orphans = [];
        lock (_mappings.Gate)
        {
            if (Kernel.Unmap((nint)address, (nuint)length) != 0)
                throw KernelFile.Failure("munmap failed");
            foreach (MappingTable.Range range in _mappings.FindLazy(address, end))
                range.Lazy!.Discard(range.LazyOffset, range.LazyOffset + (range.End - range.Start));
            _mappings.Remove(address, end, orphans);
            _mappings.Publish();
        }
        orphans.ForEach(LetGoIfUnused);
        return 0;
    }

    internal long Remap(long address, ulong length, ulong newLength, int flags, long newAddress)
    {
        bool isMoved = (flags & Kernel.MREMAP_FIXED) != 0;
        long end = End(address, length);
        if (IsLazy(address, length == 0 ? address + 1 : end))
            return RemapLazily(address, length, newLength, flags, newAddress);
        if (newLength < length)
            SealRange(End(address, newLength), end);
        if (isMoved)
            SealRange(newAddress, End(newAddress, newLength));
        List<OpenFile> orphans = [];
        nint result;
        lock (_mappings.Gate)
        {
            List<MappingTable.Range> before = _mappings.Find(address, length == 0 ? address + 1 : end);
            result = Kernel.Remap((nint)address, (nuint)length, (nuint)newLength, flags, (nint)newAddress);
            if (result == -1)
                throw KernelFile.Failure("mremap failed");
            if (isMoved)
                _mappings.Remove(newAddress, End(newAddress, newLength), orphans);
            // Length 0 makes a second mapping of the same pages. The kernel moves within one mapping only: it has one file.
            if (before.Count > 0 && before[0].Start == address)
                _mappings.Add(before[0] with { Start = result, End = End(result, newLength) });
            if (length != 0 && (flags & Kernel.MREMAP_DONTUNMAP) == 0)
                RemoveOld(address, end, result, End(result, newLength), orphans);
            _mappings.Publish();
        }
        orphans.ForEach(LetGoIfUnused);
        return result;
    }

    /// <summary>Before mprotect makes something writable.</summary>
    internal long AllowWriting(long address, ulong length)
    {
        foreach (MappingTable.Range range in _mappings.Find(address, End(address, length)))
        {
            if (!range.IsWritten && range.Lazy is null && range.File.CanWrite)
                MarkDirty(range.File);
        }
        lock (_mappings.Gate)
            _mappings.MarkWritten(address, End(address, length));
        return 0;
    }

    internal long SyncMapped(long address, ulong length, int flags)
    {
        // The kernel judges flags and addresses; in memory there is nothing for it to write.
        if (Kernel.SyncMemory((nint)address, (nuint)length, flags) != 0)
            throw KernelFile.Failure("msync failed");
        HashSet<OpenFile> files = [];
        foreach (MappingTable.Range range in _mappings.Find(address, End(address, length)))
        {
            if (!range.IsWritten || !range.File.CanWrite)
                continue;
            Seal(range.File, range.FileOffset, range.FileOffset + (range.End - range.Start));
            if ((flags & Kernel.MS_SYNC) != 0 && files.Add(range.File))
                range.File.SyncSealed(dataOnly: false);
        }
        return 0;
    }

    /// <summary>The kernel replaces what is there by something that is not ours.</summary>
    private void Unregister(long address, ulong length)
    {
        long end = End(address, length);
        SealRange(address, end);
        List<OpenFile> orphans = [];
        lock (_mappings.Gate)
        {
            _mappings.Remove(address, end, orphans);
            _mappings.Publish();
        }
        orphans.ForEach(LetGoIfUnused);
    }

    /// <summary>Takes the old range out, but for what the new one covers (grown or shrunk in place).</summary>
    private void RemoveOld(long start, long end, long newStart, long newEnd, List<OpenFile> orphans)
    {
        if (newStart != start)
        {
            _mappings.Remove(start, end, orphans);
            return;
        }
        // Both the old and the new entry begin here: take all out, put one back.
        MappingTable.Range kept = _mappings.Find(start, newEnd).Find(range => range.End == newEnd);
        if (kept.File is null)
            return;
        kept.File.AddMapping();
        _mappings.Remove(start, Math.Max(end, newEnd), orphans);
        _mappings.Add(kept);
        _ = kept.File.RemoveMapping();
    }

    /// <summary>Reads from the page file where there is one.</summary>
    private static int ReadLive(OpenFile file, long offset, Span<byte> target)
    {
        for (; ; )
        {
            PageFile? pages = file.TakePages(out ulong word);
            if (pages is null)
                return file.File.Read(offset, target);
            try
            {
                if (!pages.IsFilled)
                    return file.File.Read(offset, target);
                int count = pages.Read(offset, target);
                // It was not given up, and so not cut, before that.
                if (file.LiveWord == word)
                    return count;
            }
            finally
            {
                pages.Release();
            }
        }
    }

    /// <summary>The last mapping has gone, and the program has no descriptor of it any more.</summary>
    private void LetGoIfUnused(OpenFile file)
    {
        lock (_attachGate)
        {
            if (!file.IsUnused || file.IsMapped || file.IsMappedLazily)
                return;
            _table.RemoveInode(file);
            LetGo(file);
        }
    }

    private static long End(long address, ulong length) =>
        address + (long)Math.Min((length + PageSize - 1) & ~(ulong)(PageSize - 1), (ulong)(long.MaxValue - address));
}
