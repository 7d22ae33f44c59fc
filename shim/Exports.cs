using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using Overlay.Crypto;
using Overlay.Engine;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Shim;

/// <summary>The entry points that <c>shim/native/engine.h</c> declares, in its order: one line of work each.</summary>
internal static unsafe class Exports
{
    private static FileEngine? s_engine;

    private static FileEngine Engine => s_engine ?? throw new ErrnoException(Errno.EIO, "the engine was not started");

    /// <summary>The first call of all: the runtime starts inside it, and only a trivial method may be that call (design §5).</summary>
    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_nop")]
    public static int Nop() => 0;

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_start")]
    public static long Start(StartArguments* start)
    {
        try
        {
            Descriptors.Reserve = start->ReserveDescriptor;
            Descriptors.HasLocks = start->HasLocks;
            FileSizeLimit.Changes = start->LimitChanges;
            if (RuntimeThreads.Start(start->Threads) == 0)
                throw new ErrnoException(Errno.EIO, "the runtime's threads are not what runtime/threads.c takes them for");
            MappingTable.Note = start->NoteMappings;
            RecentFile.Start(start->Recent, start->ForkCount);
            LazyPublisher.Tell = start->NoteLazy;
            LazyPublisher.Begin = start->BeginLazy;
            Kernel.HasFilter = start->HasFilter;
            UserMemory.Generation = start->MemoryGeneration;
            CachedReads.Enable(start->CachedFiles, start->DescriptorLimit);
            CounterTable.ForFilter = start->Counters;
            RuntimeSealers.Publish();
            s_engine = new FileEngine(Settings(start));
            return 0;
        }
        catch (Exception exception)
        {
            EngineLog.Write("engine", exception.Message);
            return Guard.Errno(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_after_fork")]
    public static long AfterFork(int isOfBorrower)
    {
        try { return Engine.AfterFork(isOfBorrower != 0); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_settle_all")]
    public static long SettleAll()
    {
        try { return Engine.SettleAll(); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_own_descriptors")]
    public static long OwnDescriptors(int* descriptors, int limit)
    {
        try { return Engine.OwnDescriptors(descriptors, limit); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_prepare")]
    public static long Prepare()
    {
        try { return Engine.Prepare(); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_attach")]
    public static long Attach(int fd, int flags, OpenedFile* opened)
    {
        try { return Engine.Attach(fd, (FileEngine.AttachFlags)flags, opened == null ? OpenedFile.Ask(fd) : *opened); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_detach")]
    public static long Detach(int fd, int mayBeClosed)
    {
        try { return Engine.Detach(fd, mayBeClosed != 0); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_flags_changed")]
    public static long FlagsChanged(int fd, int coming)
    {
        try { return Engine.FlagsChanged(fd, coming); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_read")]
    public static long Read(int fd, byte* buffer, ulong size)
    {
        try { return Engine.Read(fd, buffer, size, -1); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_write")]
    public static long Write(int fd, byte* buffer, ulong size)
    {
        try { return Engine.Write(fd, buffer, size, -1); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_pread")]
    public static long PRead(int fd, byte* buffer, ulong size, long offset)
    {
        try { return Engine.Read(fd, buffer, size, CheckOffset(offset)); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_pwrite")]
    public static long PWrite(int fd, byte* buffer, ulong size, long offset)
    {
        try { return Engine.Write(fd, buffer, size, CheckOffset(offset)); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_readv")]
    public static long ReadV(int fd, Kernel.IoVector* vectors, int count, long offset, int flags)
    {
        try { return Engine.ReadVectors(fd, vectors, count, offset, flags); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_writev")]
    public static long WriteV(int fd, Kernel.IoVector* vectors, int count, long offset, int flags)
    {
        try { return Engine.WriteVectors(fd, vectors, count, offset, flags); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_lseek")]
    public static long LSeek(int fd, long offset, int whence)
    {
        try { return Engine.Seek(fd, offset, whence); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_ftruncate")]
    public static long FTruncate(int fd, long length)
    {
        try { return Engine.SetLength(fd, length); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_truncate")]
    public static long Truncate(byte* path, long length, long* result)
    {
        try { return Engine.Truncate(path, length, result); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_fallocate")]
    public static long FAllocate(int fd, int mode, long offset, long length)
    {
        try { return Engine.Allocate(fd, mode, offset, length); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_sync_range")]
    public static long SyncRange(int fd, long offset, long length, uint flags)
    {
        try { return Engine.SyncRange(fd, offset, length, flags); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_fsync")]
    public static long FSync(int fd, int dataOnly)
    {
        try { return Engine.Sync(fd, dataOnly != 0); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_size")]
    public static long Size(int fd, int directory, byte* path, int atFlags, ulong device, ulong inode)
    {
        try { return Engine.Size(fd, directory, path, atFlags, device, inode); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_peek")]
    public static long Peek(int fd, int directory, byte* path, int atFlags, byte* buffer, ulong size)
    {
        try { return Engine.Peek(fd, directory, path, atFlags, buffer, size); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_release_pages")]
    public static long ReleasePages(int fd, int directory, byte* path, int atFlags)
    {
        try { return Engine.ReleasePages(fd, directory, path, atFlags); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_transfer")]
    public static long Transfer(int input, long* inputOffset, int output, long* outputOffset, ulong size, int isInputSealed, int isOutputSealed)
    {
        try { return Engine.Transfer(input, inputOffset, output, outputOffset, size, (FileEngine.TransferInput)isInputSealed, isOutputSealed != 0); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_mmap")]
    public static long MMap(long address, ulong length, int protection, int flags, int fd, long offset)
    {
        try { return Engine.Map(address, length, protection, flags, fd, offset); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_map_over")]
    public static long MapOver(long address, ulong length)
    {
        try { return Engine.MapOver(address, length); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_munmap")]
    public static long MUnmap(long address, ulong length)
    {
        try { return Engine.Unmap(address, length); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_mremap")]
    public static long MRemap(long address, ulong length, ulong newLength, int flags, long newAddress)
    {
        try { return Engine.Remap(address, length, newLength, flags, newAddress); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_allow_writing")]
    public static long AllowWriting(long address, ulong length)
    {
        try { return Engine.AllowWriting(address, length); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_msync")]
    public static long MSync(long address, ulong length, int flags)
    {
        try { return Engine.SyncMapped(address, length, flags); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_fault")]
    public static long Fault(long address, ulong length, int access)
    {
        try { return Engine.Fault(address, length, access); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_protect_lazily")]
    public static long ProtectLazily(long address, ulong length, int protection)
    {
        try { return Engine.ProtectLazily(address, length, protection); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_map_over_lazy")]
    public static long MapOverLazy(long address, ulong length, int protection, int flags, int fd, long offset)
    {
        try { return Engine.MapOverLazy(address, length, protection, flags, fd, offset); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    [UnmanagedCallersOnly(EntryPoint = "overlay_engine_view")]
    public static long View(int volume)
    {
        try { return Engine.View(volume); }
        catch (Exception exception) { return Guard.Errno(exception); }
    }

    private static long CheckOffset(long offset) =>
        offset >= 0 ? offset : throw new ErrnoException(Errno.EINVAL, "a negative offset");

    private static EngineSettings Settings(StartArguments* start)
    {
        string volumes = Text(start->Volumes) ?? "";
        string? keyFile = Text(start->KeyFile);
        string library = Text(start->LibraryPath) ?? "";
        delegate* unmanaged<byte*, byte*, byte*, long> startAgent = start->StartAgent;
        List<string> roots = [.. volumes.Split(':', StringSplitOptions.RemoveEmptyEntries)];
        int[] kept = new ReadOnlySpan<int>(start->Kept, (int)start->KeptCount).ToArray();
        int* forkCount = start->ForkCount;
        BlockCache cache = new(new MemoryShare(Text(start->CacheSize)), start->Cache);
        return new EngineSettings(roots, Text(start->Agent), keyFile, kept, cache, () => Volatile.Read(ref *forkCount), new NativeHelper(start->Helper), () =>
        {
            // bin/overlay-ctl lies two folders above lib/overlay/liboverlay-engine.so.
            string control = System.IO.Path.GetFullPath(System.IO.Path.Combine(library, "../../../bin/overlay-ctl"));
            fixed (byte* controlText = Bytes(control), volumesText = Bytes(volumes), keyFileText = Bytes(keyFile ?? ""))
            {
                if (startAgent(controlText, volumesText, keyFileText) >= 0)
                    return;
                EngineLog.Write(control, "the agent could not be started");
                throw new ErrnoException(Errno.ENOTCONN, "the agent could not be started");
            }
        });
    }

    private static string? Text(byte* text) => text == null ? null : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text + "\0");
}
