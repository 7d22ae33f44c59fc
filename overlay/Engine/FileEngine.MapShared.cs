using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Pages;

namespace Overlay.Engine;

/// <summary>Shared mappings: of a page file that the agent keeps and all processes map.</summary>
internal sealed unsafe partial class FileEngine
{
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
}
