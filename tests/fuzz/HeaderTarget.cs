using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Format;
using Overlay.Tests.Doubles;

namespace Overlay.Fuzz;

/// <summary>The header, parsed and authenticated. What is authentic is what was sealed, to the byte.</summary>
internal sealed class HeaderTarget : Target
{
    private readonly Dictionary<CipherSuite, DataKey> _keys = [];
    private readonly List<byte[]> _seeds = [];

    public HeaderTarget()
    {
        foreach (CipherSuite suite in new[] { CipherSuite.Aes256Gcm, CipherSuite.Aegis256, CipherSuite.XChaCha20Poly1305 })
        {
            _keys[suite] = DataKey.Import(suite, SealedFixture.SecretKey);
            for (int i = 0; i < 3; i++)
                _seeds.Add(Seal(suite, i));
        }
    }

    public override string Name => "header";

    public override int Share => 2;

    public override double Percent => 400;

    public override IReadOnlyList<byte[]> Seeds => _seeds;

    public override void Run(byte[] input)
    {
        HeaderFault fault = FileHeader.Parse(input, out FileHeader header);
        if (fault != HeaderFault.Ok)
            return;
        _ = SettledSize.Decode(new Geometry(header.BlockSizeLog2), header.Size);
        _ = new Geometry(header.BlockSizeLog2).UnsettledLength(header.Size);
        if (FileHeader.Authenticate(input, SealedFixture.VolumeId, _keys[header.Suite]) != HeaderFault.Ok)
            return;
        // aes-256-gcm does not use the stored nonce's last four bytes: a change there changes nothing that is read.
        byte[] known = input[..FormatConstants.HeaderSize];
        bool isSealed = _seeds.Any(seed =>
        {
            if (header.Suite == CipherSuite.Aes256Gcm)
                seed.AsSpan(208 + 12, 4).CopyTo(known.AsSpan(208 + 12));
            return seed.AsSpan().SequenceEqual(known);
        });
        if (!isSealed)
            throw new FindingException("a changed header is authentic");
        // What was read is what is written again.
        byte[] again = new byte[FormatConstants.HeaderSize];
        header.Write(again, FileHeader.FileIdOf(input), SealedFixture.VolumeId, _keys[header.Suite]);
        if (!again.AsSpan(0, 208).SequenceEqual(input.AsSpan(0, 208)))
            throw new FindingException("a header changes when it is read and written");
    }

    private byte[] Seal(CipherSuite suite, int kind)
    {
        FileHeader header = new()
        {
            Suite = suite, Compresses = kind != 1, BlockSizeLog2 = 12 + kind * 4, IsIndexed = kind > 0, Size = kind * 123_456_789L, SyncInterval = 9,
            DurableInterval = (ulong)kind * 4, Sequence = 77, Boot = 0x01020304, TruncatedFrom = kind == 2 ? 1L << 40 : 0,
            KeyEpoch = kind * 7, HasNextKey = kind == 1, HasPreviousKey = kind == 2,
        };
        if (kind == 2)
        {
            header.BeginBoot(5, 1000);
            header.BeginBoot(6, 2000);
        }
        byte[] bytes = new byte[FormatConstants.HeaderSize];
        header.Write(bytes, SealedFixture.FileId, SealedFixture.VolumeId, _keys[suite]);
        SealAlike(bytes, 208, _keys[suite], [1, .. bytes[..208]], default);
        return bytes;
    }
}
