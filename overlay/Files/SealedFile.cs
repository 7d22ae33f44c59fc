using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>
/// One sealed file: any number of threads use it, one instance an inode and process. Offsets and sizes are logical.
/// </summary>
/// <remarks>
/// Invariants of the write path (design §6): 2, a place that a reader or a crash may need is never overwritten, and an entry is
/// replaced after its data; 3, what is durable is freed only when something newer is; 4, the bits of a record say which
/// entries must be there; 5, nonces come from <see cref="NonceSource"/> alone; 7, changes happen under the inode's lock.
/// <para>
/// <c>_gate</c> protects every field and is held for each operation. Writers hold, inside it, the lock between processes from
/// <see cref="EnterWrite"/> to <see cref="ExitWrite"/>.
/// </para>
/// </remarks>
public sealed partial class SealedFile : IDisposable
{
    private readonly FileContext _context;
    private readonly byte[] _fileId;
    private readonly Geometry _geometry;
    private readonly Lock _gate = new();
    private readonly IndexPages _index;

    private FileHeader _header;
    private bool _isWriting;

    /// <summary>Between <see cref="EnterStill"/> and <see cref="ExitStill"/>: the lock is held.</summary>
    private bool _isStill;

    /// <summary>What was cached holds while the coherence word is this one.</summary>
    private ulong _cachedWord;
    private ulong _wordAtEntry;
    private long _stamp = BlockCache.NewStamp();

    /// <summary>Backing length, kept while the cache holds; -1 = not known.</summary>
    private long _storedLength = -1;

    private SealedFile(FileContext context, byte[] fileId, DataKey key, in FileHeader header, DataKey? otherKey = null, IKeySource? keys = null)
    {
        _context = context;
        _index = new IndexPages(_gate);
        _fileId = fileId;
        (_key, _otherKey, _keys) = (key, otherKey, keys ?? context.Keys);
        _header = header;
        _geometry = new Geometry(header.BlockSizeLog2);
        _units = new UnitLayout(header.BlockSizeLog2, key.TagSize);
        _cachedWord = ~0UL;
    }

    /// <summary>How the filter learns what it may read by itself; null: nobody asks.</summary>
    public CachedFile? CachedFile { get; set; }

    public ReadOnlySpan<byte> FileId => _fileId;

    public int BlockSize => _geometry.BlockSize;

    internal Geometry Geometry => _geometry;

    public FileHeader Header
    {
        get
        {
            lock (_gate)
            {
                Revalidate();
                return _header;
            }
        }
    }

    /// <summary>The logical size now. From here on the filter knows it, too.</summary>
    public long Length
    {
        get
        {
            lock (_gate)
            {
                Revalidate();
                CachedFile?.Show(_cachedWord, _stamp, _header.Size);
                return _header.Size;
            }
        }
    }

    /// <summary>The logical size, inside <see cref="EnterWrite"/>.</summary>
    public long CurrentLength => _header.Size;

    /// <summary>For tests.</summary>
    internal int KeptIndexPages => _index.Count;

    /// <summary>
    /// Gives a newborn file its header and makes it an empty sealed file. The caller holds the inode's lock. The key is then the
    /// file's.
    /// </summary>
    public static SealedFile Create(FileContext context, bool compresses, int blockSizeLog2, ReadOnlySpan<byte> fileId, DataKey key)
    {
        ulong word = context.Coherence.Word;
        FileHeader header = new()
        {
            Suite = key.Suite, Compresses = compresses, BlockSizeLog2 = blockSizeLog2, SyncInterval = 1, Sequence = 1, Boot = context.BootWord,
            Digest = default(StateDigest).Restart(0),
        };
        IndexPage page = IndexPage.Rent(0);
        Span<byte> sector = page.Bytes.AsSpan(0, SectorSize);
        header.Write(sector, fileId, context.VolumeId, key);
        new GroupRecord(sector).Seal(fileId, 0, header.SyncInterval, context.BootWord, key);
        SealedFile file = new(context, fileId.ToArray(), key, header) { _storedLength = SectorSize };
        context.Redo.Drop(); // of a file that had the same inode number
        context.Coherence.BeginWrite();
        try
        {
            file.Replace(0, sector);
        }
        finally
        {
            context.Coherence.EndWrite();
        }
        file._index.Keep(page, neededGroup: 0);
        file.TrustSince(word + 65536);
        return file;
    }

    /// <summary>Reads and checks the header; what else lies in the first page is kept, so that a small file is one read.</summary>
    /// <exception cref="ErrnoException">The backing file or the agent failed.</exception>
    public static OpenResult Open(FileContext context, IKeySource keys, out SealedFile? file)
    {
        file = null;
        ulong word = context.Coherence.Word;
        IndexPage index = IndexPage.Rent(0);
        OpenResult result = OpenHead(context, keys, index, ref file, FinishKilledWriteIfAny(context, ref word));
        if (result.Status is OpenStatus.Damaged or OpenStatus.WrongKey)
        {
            // A writer may be at the header, or the key have been replaced behind our back: once more under the lock, then it is damage.
            word = ~0UL;
            context.Lock.Enter();
            try
            {
                result = OpenHead(context, keys, index, ref file, FinishKilledWrite(context));
            }
            finally
            {
                context.Lock.Exit();
            }
        }
        file?.KeepFirstPage(index, word);
        return result;
    }

    private static OpenResult OpenHead(FileContext context, IKeySource keys, IndexPage index, ref SealedFile? file, KilledWrite? killed)
    {
        int count = context.Backing.Read(0, index.Bytes);
        if (killed is not null)
            count = killed.Cover(0, index.Bytes, count);
        if (count == 0)
            return new OpenResult(OpenStatus.Newborn, "");
        Span<byte> page = index.Bytes.AsSpan(0, HeaderSize);
        HeaderFault fault = FileHeader.Parse(page[..Math.Min(count, HeaderSize)], out FileHeader header);
        if (fault != HeaderFault.Ok)
            return Explain(fault);
        if (!FileHeader.VolumeIdOf(page).SequenceEqual(context.VolumeId))
            return Explain(HeaderFault.ForeignVolume);

        OpenResult result = FindKeys(page, header, context, keys, out DataKey? key, out DataKey? other);
        if (key is not null)
            file = new SealedFile(context, FileHeader.FileIdOf(page).ToArray(), key, header, other, keys) { _killedWrite = killed };
        // All of it: so that is how long it is, for as long as what was read counts.
        if (file is not null && killed is null && count < index.Bytes.Length)
            file._storedLength = count;
        return result;
    }

    /// <summary>
    /// Takes the file for writing, in this process and between processes. Not re-entrant; <see cref="ExitWrite"/> must follow.
    /// </summary>
    public void EnterWrite()
    {
        _gate.Enter();
        try
        {
            EnterLock();
            try
            {
                _wordAtEntry = _context.Coherence.Word;
                _context.Coherence.BeginWrite();
                _isWriting = true;
                BeginBoot();
                FinishTruncation();
            }
            catch
            {
                // A truncation that could not be finished: nothing that is in memory counts.
                Forget();
                _wordAtEntry = ~0UL;
                LeaveWrite();
                throw;
            }
        }
        catch
        {
            _gate.Exit();
            throw;
        }
    }

    public void ExitWrite()
    {
        try
        {
            LeaveWrite();
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>
    /// Keeps every writer out, without being one: for who reads the whole file in one state. Reads go on as usual inside.
    /// <see cref="ExitStill"/> must follow.
    /// </summary>
    public void EnterStill()
    {
        _gate.Enter();
        try
        {
            _context.Lock.Enter();
        }
        catch
        {
            _gate.Exit();
            throw;
        }
        _isStill = true;
    }

    public void ExitStill()
    {
        _isStill = false;
        try
        {
            _context.Lock.Exit();
        }
        finally
        {
            _gate.Exit();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            CachedFile?.Return();
            CachedFile = null;
            WipeCached();
            _index.Return();
            _key.Dispose();
            _otherKey?.Dispose();
        }
    }

    private void LeaveWrite()
    {
        if (_isWriting)
        {
            _isWriting = false;
            // Left counted, as if it had been killed, somebody finishes what it could not.
            if (!_isHalfDone)
                _context.Coherence.EndWrite();
            _isHalfDone = false;
            // Ours was the only change if the counter went up by just one write: what we have cached is then the truth.
            bool isAlone = _context.Coherence.Word == _wordAtEntry + 65536 && (_wordAtEntry & 0xFFFF) == 0;
            _cachedWord = isAlone ? _wordAtEntry + 65536 : ~0UL;
            _isShared |= !isAlone;
            ShowCached();
        }
        _context.Lock.Exit();
    }

    /// <summary>The first writer of a boot says so before anything else (format §7).</summary>
    private void BeginBoot()
    {
        if (_header.Boot == _context.BootWord)
            return;
        _header.BeginBoot(_context.BootWord, (ulong)DateTime.UtcNow.Ticks);
        _header.Digest = _header.Digest with { IsRebooted = true };
        WriteHeader();
    }

    /// <summary>Makes header and caches current: drops them if anybody else has written, or is writing, since.</summary>
    /// <param name="mayAsk">See <see cref="ReadHeader"/>.</param>
    private void Revalidate(bool mayAsk = true)
    {
        if (_isWriting)
            return;
        ulong word = _context.Coherence.Word;
        if (word == _cachedWord)
            return;
        _isShared |= _cachedWord != ~0UL;
        _index.Recycle();
        Forget();
        if (_isStill)
            FinishKilledWrite();
        else
            _killedWrite = FinishKilledWriteIfAny(_context, ref word);
        ReadHeader(mayAsk);
        // While writers are at work nothing is kept: the next look comes here again.
        _cachedWord = (word & 0xFFFF) == 0 ? word : ~0UL;
    }

    /// <summary>What is in memory was read, or written, while the coherence word was this one.</summary>
    private void TrustSince(ulong word) => _cachedWord = (word & 0xFFFF) == 0 && _context.Coherence.Word == word ? word : ~0UL;

    /// <summary>What is kept in memory counts no more.</summary>
    private void RenewStamp()
    {
        LastBlock.Forget(_stamp); // under the next one nobody would find it, to wipe it
        _stamp = BlockCache.NewStamp();
    }

    private void Forget()
    {
        _index.Clear();
        RenewStamp();
        _storedLength = -1;
        _partsRead = 0;
        _clearUpToGroup = -1;
        _cachedWord = ~0UL;
        _killedWrite = null;
    }

    /// <summary>Something may be half changed in memory: nothing that was cached counts.</summary>
    private void Distrust()
    {
        Forget();
        _wordAtEntry = ~0UL;
        DistrustDigest();
        try
        {
            ReadHeader();
        }
        catch (ErrnoException)
        {
            // The first fault is the one to report, and what was written before it; whoever comes next reads the header again.
        }
    }

    private ErrnoException Damage(string cause)
    {
        ProcessCounters.CountDamage();
        _context.Log.Write(cause);
        return new ErrnoException(Errno.EIO, cause);
    }

    private static OpenResult Explain(HeaderFault fault) => fault switch
    {
        HeaderFault.NotSealed => new OpenResult(OpenStatus.NotSealed, "not a sealed file"),
        HeaderFault.UnsupportedVersion => new OpenResult(OpenStatus.UnsupportedVersion, "sealed by a newer version of Overlay"),
        HeaderFault.ForeignVolume => new OpenResult(OpenStatus.ForeignVolume, "this file belongs to another volume"),
        HeaderFault.WrongKey => new OpenResult(OpenStatus.WrongKey, "the key does not fit this file"),
        _ => new OpenResult(OpenStatus.Damaged, "the header is damaged"),
    };
}
