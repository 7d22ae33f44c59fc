using System;
using CsCheck;
using Overlay.Metadata.Protocol;
using Xunit;

namespace Overlay.Metadata.Tests.Protocol;

public class PacketTests
{
    [Fact]
    public void Reader_gives_back_what_the_writer_was_given() =>
        Gen.Select(Gen.Byte, Gen.UShort, Gen.UInt, Gen.ULong, Gen.Byte.Array[0, 40], Gen.String[Gen.Char.AlphaNumeric, 0, 500]).Sample(
            (one, two, four, eight, bytes, text) =>
            {
                var buffer = new byte[AgentMessage.MaxPacket];
                var writer = new PacketWriter(buffer, two, 0, four);
                writer.Byte(one);
                writer.UInt64(eight);
                writer.Bytes(bytes);
                Assert.True(writer.TryText(text));

                var reader = new PacketReader(buffer.AsSpan(0, writer.Length));
                Assert.Equal((two, four), (reader.Kind, reader.Request));
                Assert.Equal(one, reader.Byte());
                Assert.Equal(eight, reader.UInt64());
                Assert.Equal(bytes, reader.Bytes(bytes.Length).ToArray());
                Assert.Equal(text, reader.Text());
                Assert.True(reader.IsComplete);

                var shorter = new PacketReader(buffer.AsSpan(0, writer.Length - 1));
                _ = shorter.Byte();
                _ = shorter.UInt64();
                _ = shorter.Bytes(bytes.Length);
                _ = shorter.Text();
                Assert.False(shorter.IsComplete);
            });

    [Fact]
    public void Writer_refuses_a_text_that_is_too_long_and_leaves_the_packet_as_it_was()
    {
        var writer = new PacketWriter(new byte[AgentMessage.MaxPacket], 1, 0, 0);
        Assert.False(writer.TryText(new string('ü', AgentMessage.MaxText / 2 + 1)));
        Assert.Equal(AgentMessage.HeaderSize, writer.Length);
        Assert.True(writer.TryText(new string('ü', AgentMessage.MaxText / 2)));
    }

    [Fact]
    public void Numbers_are_little_endian()
    {
        var buffer = new byte[16];
        var writer = new PacketWriter(buffer, 0x0201, 0x0403, 0x08070605);
        writer.UInt64(0x100F0E0D0C0B0A09);
        Assert.Equal(16, writer.Length);
        for (var i = 0; i < 16; i++)
            Assert.Equal(i + 1, buffer[i]);
    }
}
