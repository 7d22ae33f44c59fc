using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>New files: an empty one of a volume gets a key and its header before the program sees it.</summary>
internal sealed unsafe partial class FileEngine
{
    /// <summary>Makes an empty file of a volume a sealed one. False where we may not write it: it is empty, and stays so.</summary>
    private bool TryBear(OpenFile file, int fd, int flags, Volume volume, string path, FileLog log, bool mustWrite)
    {
        try
        {
            file.UseToBear(fd, flags);
        }
        catch (ErrnoException) when (!mustWrite)
        {
            return false;
        }
        FileContext context = ContextOf(file, volume, log);
        SealedFile? opened = Create(file, context, volume, path, keepsTimes: !mustWrite);
        file.IsBorn = opened is not null;
        if (opened is null)
        {
            OpenResult result = SealedFile.Open(context, new FileKeys(volume, file), out opened);
            if (opened is null)
            {
                log.Write(Explain(result));
                throw new ErrnoException(ErrnoOf(result.Status), result.Reason);
            }
        }
        file.Bind(opened, volume, log);
        _latest = volume;
        return true;
    }

    /// <summary>Gives an empty file its header. Null: somebody else was faster. The agent is asked before the lock is taken, and told afterwards.</summary>
    private static SealedFile? Create(OpenFile file, FileContext context, Volume volume, string path, bool keepsTimes)
    {
        GrantedKey granted = volume.TakeNewKey(file.Descriptor, out FileSettings settings);
        SealedFile? created = null;
        try
        {
            created = CreateUnderLock(file, context, granted, settings, keepsTimes);
            if (created is not null)
                volume.NoteCreated(granted.FileId, path);
            else
                volume.GiveBack(granted);
            return created;
        }
        catch
        {
            granted.Wipe(); // it may have sealed a header already: it is nobody else's
            created?.Dispose();
            throw;
        }
    }

    private static SealedFile? CreateUnderLock(OpenFile file, FileContext context, in GrantedKey granted, FileSettings settings, bool keepsTimes)
    {
        context.Lock.Enter();
        DataKey? key = null;
        try
        {
            Kernel.StatusBuffer status = KernelFile.Status(file.Descriptor);
            if (status.Size != 0)
                return null;
            key = DataKey.Import(settings.Suite, granted.Key, granted.Derived);
            SealedFile created = SealedFile.Create(context, settings.Compress, settings.BlockSizeLog2, granted.FileId, key);
            // The header first: a marked file without one counts as cut (format §2).
            file.SetMode(status.Mode & 0xFFFu | FormatConstants.SealedModeBit);
            if (keepsTimes)
                file.RestoreTimes(status); // the program only reads
            key = null;
            granted.Wipe();
            return created;
        }
        finally
        {
            key?.Dispose();
            context.Lock.Exit();
        }
    }
}
