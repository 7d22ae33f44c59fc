using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>The file's key, or, while it is being replaced, its two keys (format §4, Two keys). All under <c>_gate</c>.</summary>
public sealed partial class SealedFile
{
    private readonly IKeySource? _keys;

    /// <summary>Seals everything: of the header's epoch.</summary>
    private DataKey _key;

    /// <summary>Opens what has the other parity, while the header says that there may be such. Null else.</summary>
    private DataKey? _otherKey;

    /// <summary>How often keys sealed that are gone.</summary>
    private long _sealsBefore;

    private long Seals => _sealsBefore + _key.Seals + (_otherKey?.Seals ?? 0);

    private DataKey? KeyOf(BlockVersion version) => KeyOf(version.IsOdd);

    private DataKey? KeyOf(GroupRecord record) => KeyOf(record.IsOdd);

    private DataKey? KeyOf(bool isOdd) => isOdd == _key.IsOdd ? _key : _otherKey;

    /// <summary>The keys of a file that is opened. Nearly always there is one, and that is the one.</summary>
    private static OpenResult FindKeys(Span<byte> page, in FileHeader header, FileContext context, IKeySource keys, out DataKey? key, out DataKey? other)
    {
        key = other = null;
        Span<byte> secret = stackalloc byte[DataKey.KeySize];
        try
        {
            if (!keys.TryGetKey(FileHeader.FileIdOf(page), secret))
                return new OpenResult(OpenStatus.NoKey, "the store has no key for this file");
            DataKey first = DataKey.Import(header.Suite, secret);
            first.Epoch = header.KeyEpoch;
            HeaderFault fault = FileHeader.Authenticate(page, context.VolumeId, first);
            if (fault == HeaderFault.Ok && !header.HasTwoKeys)
            {
                key = first;
                return new OpenResult(OpenStatus.Ok, "");
            }
            first.Dispose();
            if (fault is not (HeaderFault.Ok or HeaderFault.WrongKey))
                return Explain(fault);
        }
        finally
        {
            Secret.Wipe(secret);
        }
        return FindKeysAnew(page, header, context, keys, out key, out other);
    }

    /// <summary>The key may have been replaced since it was given to us, or is being replaced.</summary>
    private static OpenResult FindKeysAnew(ReadOnlySpan<byte> page, in FileHeader header, FileContext context, IKeySource keys, out DataKey? key, out DataKey? other)
    {
        (key, other) = AskForKeys(page, header, keys);
        HeaderFault fault = key is null ? HeaderFault.WrongKey : FileHeader.Authenticate(page, context.VolumeId, key);
        if (fault == HeaderFault.Ok && header.HasTwoKeys == other is not null)
            return new OpenResult(OpenStatus.Ok, "");
        key?.Dispose();
        other?.Dispose();
        key = other = null;
        if (fault == HeaderFault.Ok)
            return new OpenResult(OpenStatus.WrongKey, "the file is being given a new key, and the store has one of its two keys only: it is an older copy of the store");
        return Explain(fault);
    }

    /// <summary>The key of this header, as its key check says, and the other one where the header says that there are two.</summary>
    private static (DataKey? Key, DataKey? Other) AskForKeys(ReadOnlySpan<byte> page, in FileHeader header, IKeySource keys)
    {
        const int Most = 2;
        Span<byte> secrets = stackalloc byte[Most * DataKey.KeySize];
        DataKey? key = null, other = null;
        try
        {
            int count = keys.GetKeysAnew(FileHeader.FileIdOf(page), secrets);
            for (int i = 0; i < count; i++)
            {
                DataKey found = DataKey.Import(header.Suite, secrets.Slice(i * DataKey.KeySize, DataKey.KeySize));
                bool isOfHeader = key is null && Secret.Same(FileHeader.KeyCheckOf(page), found.KeyCheck);
                if (isOfHeader)
                    key = found;
                else if (header.HasTwoKeys && other is null)
                    other = found;
                else
                    found.Dispose();
            }
        }
        finally
        {
            Secret.Wipe(secrets);
        }
        if (key is not null)
            key.Epoch = header.KeyEpoch;
        if (other is not null)
            other.Epoch = header.OtherKeyEpoch;
        return (key, other);
    }

    /// <summary>Is this header of one of our keys? Brings the keys to where it says that the file is; asks for those that came meanwhile.</summary>
    private HeaderFault FitKeys(ReadOnlySpan<byte> page, in FileHeader header, bool mayAsk)
    {
        HeaderFault fault = FileHeader.Authenticate(page, _context.VolumeId, _key);
        if (fault == HeaderFault.WrongKey && _otherKey is not null && FileHeader.Authenticate(page, _context.VolumeId, _otherKey) == HeaderFault.Ok)
        {
            (_key, _otherKey) = (_otherKey, _key);
            fault = HeaderFault.Ok;
        }
        if (fault == HeaderFault.Ok && !header.HasTwoKeys)
        {
            ForgetKey(ref _otherKey);
            _key.Epoch = header.KeyEpoch;
            return fault;
        }
        bool areBothKnown = _key.Epoch == header.KeyEpoch && _otherKey?.Epoch == header.OtherKeyEpoch;
        if (fault == HeaderFault.Damaged || (fault == HeaderFault.Ok && areBothKnown))
            return fault;
        if (!mayAsk)
            throw new UnknownKeyException();
        return AskAnew(page, header);
    }

    private HeaderFault AskAnew(ReadOnlySpan<byte> page, in FileHeader header)
    {
        if (_keys is null)
            return HeaderFault.WrongKey;
        OpenResult result;
        DataKey? key, other;
        try
        {
            result = FindKeysAnew(page, header, _context, _keys, out key, out other);
        }
        catch (ErrnoException exception)
        {
            _context.Log.Write($"the file was given a new key (overlay-ctl rekey), which cannot be had: {exception.Message}");
            throw new ErrnoException(Errno.EIO, exception.Message);
        }
        if (key is null)
            return result.Status == OpenStatus.Damaged ? HeaderFault.Damaged : HeaderFault.WrongKey;
        Install(key, other);
        return HeaderFault.Ok;
    }

    /// <summary>In place of those that there are.</summary>
    private void Install(DataKey key, DataKey? other)
    {
        _sealsBefore = Seals;
        _key.Dispose();
        _otherKey?.Dispose();
        (_key, _otherKey) = (key, other);
    }

    private void ForgetKey(ref DataKey? key)
    {
        if (key is null)
            return;
        _sealsBefore += key.Seals;
        key.Dispose();
        key = null;
    }

    /// <summary>
    /// The lock between processes, with nothing cached that is not current. The agent is not asked while it is held: it may be waiting for it.
    /// </summary>
    private void EnterLock()
    {
        for (int attempt = 0; ; attempt++)
        {
            _context.Lock.Enter();
            try
            {
                if ((_context.Coherence.Word & 0xFFFF) != 0)
                    FinishKilledWrite();
                Revalidate(mayAsk: attempt >= ReadAttempts);
                return;
            }
            catch (UnknownKeyException)
            {
                _context.Lock.Exit();
            }
            catch
            {
                // Nothing that is in memory counts.
                Forget();
                _context.Lock.Exit();
                throw;
            }
            ReadHeader();
        }
    }

    /// <summary>What could not be opened may have been sealed with a key that came since the header was read. Only without the lock.</summary>
    private void LookForNewKey()
    {
        if (!_isWriting && !_isStill)
            ReadHeader();
    }
}
