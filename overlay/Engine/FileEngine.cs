using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>
/// The engine of one process: what the shim calls. Methods return what the system call returns, and throw
/// <see cref="ErrnoException"/> where it fails. This part: volumes, and files coming and going.
/// </summary>
internal sealed partial class FileEngine : IDisposable
{
    [Flags]
    internal enum AttachFlags
    {
        Truncate = 1,
        Transient = 2,
        Opened = 4,

        /// <summary>Bits 8 and up: the volume in which the filter places the file.</summary>
        Inside = 8,
    }

    private readonly EngineSettings _settings;
    private readonly AgentLink _agent;
    private readonly Volume?[] _volumes;
    private readonly FileTable _table = new();
    private readonly KeptDescriptors _kept;
    private readonly uint _bootWord;

    /// <summary>The volume of the file that was opened last.</summary>
    private Volume? _latest;

    /// <summary>One attach or last detach at a time: two threads must not open the same inode twice.</summary>
    private readonly Lock _attachGate = new();

    internal FileEngine(EngineSettings settings)
    {
        _settings = settings;
        _agent = new AgentLink(settings);
        _volumes = new Volume?[settings.Volumes.Count];
        _kept = new KeptDescriptors(settings.Kept);
        _bootWord = ReadBootWord();
        int proc = KernelFile.Open(Kernel.CurrentDirectory, "/proc", Kernel.O_PATH | Kernel.O_DIRECTORY);
        if (proc >= 0)
            KernelFile.Proc = Descriptors.MoveAway(proc);
    }

    public void Dispose() => _settings.Cache.Dispose();

    /// <summary>
    /// Connects every volume, and opens what may have to be opened later, now; what cannot be is left for its first use, and said there.
    /// </summary>
    internal long Prepare()
    {
        foreach (OpenFile file in _table.All())
        {
            TryBecomeReadable(file);
            file.SettleIfPrivileged();
        }
        for (int i = 0; i < _volumes.Length; i++)
        {
            try
            {
                GetVolume(i).OpenLocks();
            }
            catch (ErrnoException exception)
            {
                EngineLog.Write(_settings.Volumes[i], exception.Message);
            }
        }
        _settings.Cache.Reserve();
        return 0;
    }

    private static void TryBecomeReadable(OpenFile file)
    {
        try
        {
            file.BecomeReadable();
        }
        catch (ErrnoException exception)
        {
            EngineLog.Write(file.Log.Path, exception.Message);
        }
    }

    /// <param name="isOfBorrower">The descriptors are not those that the table speaks of, but those of a child that had our memory.</param>
    internal long AfterFork(bool isOfBorrower)
    {
        if (isOfBorrower)
            _table.Forget();
        _agent.AfterFork();
        foreach (Volume? volume in _volumes)
            volume?.AfterFork();
        foreach (OpenFile file in _table.All())
            file.File?.AfterFork();
        return 0;
    }

    internal long SettleAll()
    {
        SealRange(0, long.MaxValue);
        foreach (OpenFile file in _table.All())
            TrySettle(file);
        foreach (Volume? volume in _volumes)
            volume?.SendNotes();
        return 0;
    }

    /// <summary>What must stay open over an exec for the program's POSIX locks to stay.</summary>
    internal unsafe long OwnDescriptors(int* descriptors, int limit)
    {
        List<int> own = [];
        lock (_attachGate)
        {
            foreach (OpenFile file in _table.All())
                file.AddOwn(own);
            _kept.AddTo(own);
        }
        int count = Math.Min(own.Count, limit);
        for (int i = 0; i < count; i++)
            descriptors[i] = own[i];
        return count;
    }

    /// <summary>1: sealed and remembered. 0: not ours.</summary>
    internal long Attach(int fd, AttachFlags how, in OpenedFile status)
    {
        lock (_attachGate)
        {
            _ = FileSizeLimit.Read();
            int flags = status.Flags >= 0 ? status.Flags : OpenedFile.AskFlags(fd);
            bool isTransient = (how & AttachFlags.Transient) != 0;
            if (!isTransient)
                ForgetStale(fd, flags, status);
            OpenFile? file = isTransient ? null : _table.Begin(status.Device, status.Inode);
            bool isNew = file is null;
            if (file is null)
            {
                file = new OpenFile(status, _settings.CountForks, ReopenByAgent);
                file.BeginOperation();
            }
            try
            {
                if (isNew && !TryOpen(file, fd, flags, status, how))
                    return 0;
                if (!isNew)
                    file.CheckKey(isOpening: true);
                if (!isTransient)
                {
                    file.Attach(fd, flags);
                    if ((how & AttachFlags.Opened) == 0)
                        file.NoteInherited();
                    _table.Add(fd, file);
                }
                if ((how & AttachFlags.Truncate) != 0 && !(isNew && file.IsBorn))
                    TruncateOnOpen(file, fd, flags);
                if (isNew && !isTransient)
                    _kept.GiveTo(file);
                if (!isTransient)
                    RecentFile.Show(file, fd, flags);
                isNew = isNew && isTransient;
                return 1;
            }
            catch
            {
                _ = _table.Remove(fd);
                file.EndOperation(); // Detach waits for operations, and this is one
                isNew |= file.Detach(fd);
                file.BeginOperation();
                if (isNew)
                    _table.RemoveInode(file);
                throw;
            }
            finally
            {
                file.EndOperation();
                if (isNew)
                    LetGo(file);
            }
        }
    }

    /// <summary>A number that is now another file's: its close was not seen, since threads raced or a call went past us.</summary>
    private void ForgetStale(int fd, int flags, in OpenedFile status)
    {
        OpenFile? before = _table.Begin(fd);
        if (before is null)
            return;
        bool isSame = before.Device == status.Device && before.Inode == status.Inode &&
            (before.FlagsOf(fd) & Kernel.O_ACCMODE) == (flags & Kernel.O_ACCMODE);
        before.EndOperation();
        if (!isSame)
            _ = Detach(fd);
    }

    /// <param name="mayBeClosed">By the filter alone, which it does only where <see cref="OpenFile.MayBeClosedUnseen"/>.</param>
    internal long Detach(int fd, bool mayBeClosed = false)
    {
        lock (_attachGate)
        {
            RecentFile.Withdraw(fd);
            OpenFile? file = _table.Remove(fd);
            if (file is null || !file.Detach(fd))
                return 0;
            file.WaitForOperations();
            if ((file.IsMapped || file.IsMappedLazily) && file.TryKeep(fd))
            {
                file.WaitForOperations(); // of faults, by the old descriptor
                return 0;
            }
            _table.RemoveInode(file);
            LetGo(file, mayBeClosed);
            return 0;
        }
    }

    /// <param name="coming">What fcntl is about to set, or 0 afterwards.</param>
    internal long FlagsChanged(int fd, int coming)
    {
        lock (_attachGate)
        {
            OpenFile? file = _table.Begin(fd);
            if (file is null)
                return 0;
            file.EndOperation(); // what is under way may have to be waited for, and this is not
            RecentFile.Withdraw(fd);
            file.Refresh(coming);
            return 0;
        }
    }

    private static void LetGo(OpenFile file, bool mayBeClosed = false)
    {
        if (mayBeClosed && !file.File.NeedsSettling)
            file.TellNews();
        else if (file.File is not null && file.CanWrite)
            TrySettle(file);
        file.Close();
    }

    /// <summary>Settling is housekeeping: where it fails the file is right, only its size costs more to ask.</summary>
    private static void TrySettle(OpenFile file)
    {
        try
        {
            if (file.CanWrite)
                file.Settle();
        }
        catch (ErrnoException exception)
        {
            EngineLog.Write(file.Log.Path, $"the file could not be put in order at its close: {exception.Message}");
        }
    }

    /// <summary>The kernel opened without O_TRUNC: it is asked now whether the file may be written, and its length changed.</summary>
    private static void TruncateOnOpen(OpenFile file, int fd, int flags)
    {
        bool isForReading = !AccessMode.MayWrite(flags);
        if (isForReading && !KernelFile.MayWrite(fd))
            throw KernelFile.Failure("the file may not be cut");
        if (isForReading && !file.CanWrite)
            file.OpenToTruncate(fd);
        using LiveWrite entered = LiveWrite.Enter(file);
        file.CheckMayTruncate(isForReading ? file.Descriptor : fd);
        entered.SetLength(0);
    }

    /// <summary>Opens the sealed file behind fd, or gives a newborn one its header. False: not ours.</summary>
    private bool TryOpen(OpenFile file, int fd, int flags, in OpenedFile status, AttachFlags how)
    {
        bool isOpened = (how & AttachFlags.Opened) != 0;
        bool isMarked = (status.Mode & FormatConstants.SealedModeBit) != 0;
        bool mustWrite = (flags & Kernel.O_ACCMODE) != Kernel.O_RDONLY;
        FileLog log = new(file);
        if (isMarked && _latest is not null)
        {
            // Nearly always the volume of the file before: its header says so, and no path has to be asked for.
            file.UseOrReopen(fd, flags, mustWrite);
            if (SealedFile.Open(ContextOf(file, _latest, log), new FileKeys(_latest, file), out SealedFile? likely).Status == OpenStatus.Ok)
            {
                file.Bind(likely!, _latest, log);
                return true;
            }
        }

        string path = KernelFile.PathOf(fd);
        // After a chroot our roots mean nothing any more: the filter's word counts.
        Volume? byPath = (how & AttachFlags.Inside) != 0 ? GetVolume((int)how >> 8) : FindByPath(path);
        if (byPath is null && path.Length == 0 && isOpened && !isMarked)
        {
            // "Not ours" would let plaintext through.
            log.Write("its path cannot be told (is /proc there?), so that it may lie in a volume");
            throw new ErrnoException(Errno.EIO, "no path");
        }
        if (byPath is null && !isMarked)
            return false;
        bool isNewborn = status.Size == 0 && !isMarked;
        if (isNewborn)
            return byPath is not null && TryBear(file, fd, flags, byPath, path, log, mustWrite);

        if (file.Descriptor < 0)
            file.UseOrReopen(fd, flags, mustWrite);
        Span<byte> head = stackalloc byte[FormatConstants.HeaderSize];
        int count = file.Read(0, head);
        Volume? volume = FindByHeader(head[..count]) ?? byPath;
        if (volume is null)
            return false; // a stranger's file with a sticky bit
        OpenResult result = SealedFile.Open(ContextOf(file, volume, log), new FileKeys(volume, file), out SealedFile? opened);
        if (result.Status == OpenStatus.NotSealed && isMarked && byPath is not null)
            result = new OpenResult(OpenStatus.Damaged, "the header is damaged");
        if (result.Status == OpenStatus.NotSealed && !isOpened)
            return false;
        if (opened is null)
        {
            log.Write(result.Status == OpenStatus.Newborn ? "the file was cut to nothing outside of Overlay" : Explain(result));
            throw new ErrnoException(ErrnoOf(result.Status), result.Reason);
        }
        file.Bind(opened, volume, log);
        _latest = volume;
        if (!isMarked)
            Mark(file, fd, status);
        return true;
    }

    private static string Explain(OpenResult result) => result.Status == OpenStatus.NotSealed
        ? "this file in a volume is not sealed: it is refused, since it would be read as plaintext from the disk"
        : result.Reason;

    private static int ErrnoOf(OpenStatus status) => status switch
    {
        OpenStatus.NotSealed => Errno.EILSEQ,
        OpenStatus.UnsupportedVersion => Errno.EPROTONOSUPPORT,
        OpenStatus.NoKey or OpenStatus.WrongKey => Errno.ENOKEY,
        _ => Errno.EIO,
    };

    /// <summary>A sealed file that lost its mark (a backup restored without modes, a creator that died) gets it back.</summary>
    private static void Mark(OpenFile file, int fd, in OpenedFile status)
    {
        if (Kernel.ChangeMode(fd, status.Mode & 0xFFFu | FormatConstants.SealedModeBit) != 0)
            file.Log.Write("the sticky bit that marks sealed files is missing and cannot be set: stat shows a wrong size");
    }

    private FileContext ContextOf(OpenFile file, Volume volume, FileLog log) => new(
        file, volume.Coherence.LockOf(file.Inode), volume.Coherence.For(file.Inode), volume.Coherence.RedoOf(file.Device, file.Inode), log, _settings.Cache,
        volume.Id, _bootWord, volume.BlockSizeLog2)
    { Keys = new FileKeys(volume, file), IsSettledAtLast = true, Helper = _settings.Helper };

    private Volume? FindByPath(string path)
    {
        for (int i = 0; i < _volumes.Length; i++)
        {
            string root = _settings.Volumes[i];
            if (path.Length > 0 && (root == "/" || (path.StartsWith(root, StringComparison.Ordinal) &&
                (path.Length == root.Length || path[root.Length] == '/'))))
                return GetVolume(i);
        }
        return null;
    }

    private Volume? FindByHeader(ReadOnlySpan<byte> head)
    {
        if (FileHeader.Parse(head, out _) != HeaderFault.Ok)
            return null;
        for (int i = 0; i < _volumes.Length; i++)
        {
            Volume volume = GetVolume(i);
            if (FileHeader.VolumeIdOf(head).SequenceEqual(volume.Id))
                return volume;
        }
        return null;
    }

    private Volume GetVolume(int index)
    {
        lock (_attachGate)
            return _volumes[index] ??= new Volume(_settings.Volumes[index], _agent, _bootWord);
    }

    /// <summary>1: by the policy of the volume of this number this process reads files as they lie on disk.</summary>
    internal long View(int volume) => GetVolume(volume).SeesCiphertext ? 1 : 0;

    private int ReopenByAgent(int fd)
    {
        try
        {
            Volume? volume = FindByPath(KernelFile.PathOf(fd)) ?? _latest;
            return volume?.Reopen(fd) ?? -1;
        }
        catch (ErrnoException exception)
        {
            EngineLog.Write(KernelFile.PathOf(fd), exception.Message);
            return -1;
        }
    }

    internal static uint ReadBootWord()
    {
        int fd = KernelFile.Open(Kernel.CurrentDirectory, "/proc/sys/kernel/random/boot_id", Kernel.O_RDONLY);
        if (fd < 0)
            throw KernelFile.Failure("/proc/sys/kernel/random/boot_id cannot be read");
        Span<byte> text = stackalloc byte[36];
        int count = KernelFile.Read(fd, 0, text);
        _ = Kernel.Close(fd);
        return count == text.Length ? BootWord.FromBootId(text) : throw new ErrnoException(Errno.EIO, "the boot id is not 36 characters long");
    }
}
