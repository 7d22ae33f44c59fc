using System.Collections.Generic;
using System.Text;
using Overlay.Metadata.Volumes;

namespace Overlay.Fuzz;

/// <summary>config.json: understood, or a <see cref="VolumeException"/>.</summary>
internal sealed class ConfigTarget : Target
{
    private static readonly List<byte[]> s_seeds =
    [
        Encoding.UTF8.GetBytes("{\"format\":1,\"volumeId\":\"00112233445566778899aabbccddeeff\",\"store\":\"store.db\",\"blockSize\":16384}\n"),
        Encoding.UTF8.GetBytes("{\"more\":{\"a\":[1,2,{}]},\"format\":1,\"volumeId\":\"00112233445566778899aabbccddeeff\",\"store\":\"/\\u00e9/s\"}"),
        Encoding.UTF8.GetBytes("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
    ];

    public override string Name => "config";

    public override double Percent => 40;

    public override IReadOnlyList<byte[]> Seeds => s_seeds;

    public override void Run(byte[] input)
    {
        try
        {
            _ = VolumeConfig.Parse(input, "config.json");
        }
        catch (VolumeException)
        {
            // Refused: what we want.
        }
    }
}
