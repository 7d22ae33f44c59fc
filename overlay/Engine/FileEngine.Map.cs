using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;
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
            if ((operation.Flags & Kernel.O_ACCMODE) == Kernel.O_WRONLY)
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
                range.File.File.Sync(dataOnly: false);
        }
        return 0;
    }

    /// <summary>0: this process gets no page file, and a copy must do.</summary>
    private long TryMapShared(OpenFile file, long address, ulong length, int protection, int flags, int fd, bool canWrite, long offset)
    {
        for (; ; )
        {
            int pages = OpenFilled(file, fd, canWrite);
            if (pages is -Errno.EACCES or -Errno.EROFS)
                return 0;
            if (pages < 0)
            {
                file.Log.Write($"the agent gives no pages for a shared mapping (errno {-pages})");
                throw new ErrnoException(Errno.ENODEV, "no page file");
            }
            try
            {
                ulong word = file.LiveWord;
                file.Hold();
                // The keeper may have gone before it or its follower could see that: then there may be another page file.
                if (file.LiveWord != word)
                    continue;
                long mapped = MapShared(file, address, length, protection, flags, pages, offset);
                KeepView(file);
                return mapped;
            }
            finally
            {
                Descriptors.CloseOwn(pages); // the mapping keeps the description, and with it the lock that keeps the page file
            }
        }
    }

    private long MapShared(OpenFile file, long address, ulong length, int protection, int flags, int pages, long offset)
    {
        bool isWritten = (protection & Kernel.PROT_WRITE) != 0;
        bool isFixed = (flags & Kernel.MAP_FIXED) != 0;
        if (isFixed)
            SealRange(address, End(address, length));
        if (isWritten)
            new PageFile(pages).MarkDirty();
        List<OpenFile> orphans = [];
        nint mapped;
        lock (_mappings.Gate)
        {
            mapped = Kernel.Map((nint)address, (nuint)length, protection, flags, pages, offset + PageFileLayout.DataOffset);
            if (mapped == -1)
                throw KernelFile.Failure("the mapping cannot be made");
            long end = End(mapped, length);
            if (isFixed)
                _mappings.Remove(mapped, end, orphans);
            _mappings.Add(new MappingTable.Range(mapped, end, file, offset, isWritten));
            _mappings.Publish();
        }
        _ = Kernel.Advise(mapped, (nuint)length, Kernel.MADV_DONTDUMP);
        orphans.ForEach(LetGoIfUnused);
        return mapped;
    }

    /// <summary>Filled when it is touched, or a copy in anonymous memory.</summary>
    private long MapPrivate(OpenFile file, long address, ulong length, int protection, int flags, long offset)
    {
        long lazy = TryMapLazily(file, address, length, protection, flags, offset);
        if (lazy != 0)
            return lazy;
        if ((flags & Kernel.MAP_FIXED) != 0)
            Unregister(address, length);
        int anonymous = (flags & ~(Kernel.MAP_TYPE | Kernel.MAP_SYNC)) | Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS;
        nint mapped = Kernel.Map((nint)address, (nuint)length, Kernel.PROT_READ | Kernel.PROT_WRITE, anonymous & ~Kernel.MAP_POPULATE, -1, 0);
        if (mapped == -1)
            throw KernelFile.Failure("the mapping cannot be made");
        try
        {
            _ = Kernel.Advise(mapped, (nuint)length, Kernel.MADV_DONTDUMP);
            Fill(file, (byte*)mapped, (long)length, offset);
        }
        catch
        {
            _ = Kernel.Unmap(mapped, (nuint)length);
            throw;
        }
        if (protection != (Kernel.PROT_READ | Kernel.PROT_WRITE))
            KernelFile.Check(Kernel.Protect(mapped, (nuint)length, protection), "the mapping cannot be protected");
        return mapped;
    }

    /// <summary>
    /// Copies what the file has there. Holes, and what lies behind the end, stay untouched zero pages; the others come in steps, in
    /// one go each, since every fault by itself costs as much as reading its page.
    /// </summary>
    private static void Fill(OpenFile file, byte* target, long length, long offset)
    {
        const int Step = 1 << 20, HugeFrom = 4 << 20;
        long end = Math.Min(file.File.Length, offset + length) - offset;
        MemoryRoom.Check(end);
        if (end >= HugeFrom)
            _ = Kernel.Advise((nint)target, (nuint)end, Kernel.MADV_HUGEPAGE);
        bool maySkip = LiveTable.IsIdle(file.LiveWord); // what was stored by mapping may not be sealed yet
        for (long done = 0; done < end;)
        {
            long data = maySkip ? file.File.SeekData(offset + done) : offset + done;
            if (data < 0 || data - offset >= end)
                return;
            done = data - offset;
            int count = (int)Math.Min(Step, end - done);
            long page = done & ~(PageSize - 1L);
            // Before Linux 5.14 the pages come one by one.
            _ = Kernel.Advise((nint)(target + page), (nuint)(done + count - page), Kernel.MADV_POPULATE_WRITE);
            count = ReadLive(file, offset + done, new Span<byte>(target + done, count));
            if (count == 0)
                return;
            done += count;
        }
    }

    /// <summary>A descriptor for mapping, as writable as the program's, of a page file that holds the file; or a negative errno.</summary>
    private static int OpenFilled(OpenFile file, int fd, bool canWrite)
    {
        byte[] fileId = file.File.FileId.ToArray();
        for (int attempt = 0; ; attempt++)
        {
            if (!canWrite)
            {
                int readOnly = file.Volume.OpenPages(fileId, PageUse.Map, fd);
                if (readOnly >= 0 && new PageFile(readOnly).IsFilled)
                    return readOnly;
                if (readOnly >= 0)
                    Descriptors.CloseOwn(readOnly);
            }
            int made = file.Volume.OpenPages(fileId, PageUse.Make, file.CanWrite ? file.ReadableDescriptor : fd);
            if (made == -Errno.EBUSY && attempt < OpenFile.LongestWait)
            {
                // With processes of a keeper that is gone: waits until one of them, or we ourselves, have offered it.
                file.TakePages(out _)?.Release();
                continue;
            }
            if (made < 0)
                return made;
            PageFile pages = new(made);
            try
            {
                if (!pages.IsFilled)
                    PageFiller.Fill(file.File, pages);
            }
            catch
            {
                Descriptors.CloseOwn(made);
                throw;
            }
            if (canWrite)
                return made;
            // Its lock keeps the page file until the other descriptor holds one.
            int mapped = file.Volume.OpenPages(fileId, PageUse.Map, fd);
            Descriptors.CloseOwn(made);
            if (mapped is not (-Errno.ENOENT or -Errno.EBUSY))
                return mapped;
        }
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

    /// <summary>Writes back what this process may have changed between two addresses; a failure is logged, and tried again by the agent.</summary>
    private void SealRange(long start, long end)
    {
        foreach (MappingTable.Range range in _mappings.Find(start, end))
        {
            if (!range.IsWritten)
                continue;
            try
            {
                Seal(range.File, range.FileOffset, range.FileOffset + (range.End - range.Start));
            }
            catch (ErrnoException exception)
            {
                range.File.Log.Write($"what was changed by mapping it is not sealed yet: {exception.Message}");
            }
        }
    }

    /// <summary>Writes back the changes that anybody made by mapping. May ask the agent.</summary>
    private static void Seal(OpenFile file, long from, long to)
    {
        while (file.CanWrite)
        {
            PageFile? pages = file.TakePages(out ulong word);
            if (pages is null)
                return;
            try
            {
                if (!pages.IsFilled || !pages.MayBeDirty)
                    return;
                using PageSealing sealing = new(file.File, pages, () => file.LiveWord == word);
                if (sealing.Run(from, to))
                    return;
            }
            finally
            {
                pages.Release();
            }
        }
    }

    /// <summary>A descriptor of what we map, with which we could go on without an agent, or offer it to another one.</summary>
    private static void KeepView(OpenFile file)
    {
        try
        {
            file.TakePages(out _)?.Release();
        }
        catch (ErrnoException)
        {
            // It is mapped, and was logged; the agent that has it also seals it.
        }
    }

    private static void MarkDirty(OpenFile file)
    {
        PageFile? pages = file.TakePages(out _);
        if (pages is null)
            return;
        if (pages.CanWrite)
            pages.MarkDirty();
        pages.Release();
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
