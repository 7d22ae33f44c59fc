using System.Runtime.InteropServices;
using System.Text;

namespace Overlay.Ctl.Keys.Pkcs11;

/// <summary>CK_TOKEN_INFO, as far as it is used.</summary>
[StructLayout(LayoutKind.Sequential, Size = 208)]
internal unsafe struct TokenInfo
{
    private const int LabelSize = 32, ManufacturerSize = 32, ModelSize = 16, SerialSize = 16;

    private fixed byte _texts[LabelSize + ManufacturerSize + ModelSize + SerialSize];

    internal string Label => Text(0, LabelSize);

    internal string Manufacturer => Text(LabelSize, ManufacturerSize);

    internal string Model => Text(LabelSize + ManufacturerSize, ModelSize);

    internal string Serial => Text(LabelSize + ManufacturerSize + ModelSize, SerialSize);

    /// <summary>Padded with blanks, not ended by 0.</summary>
    private string Text(int offset, int size)
    {
        fixed (byte* texts = _texts)
            return Encoding.UTF8.GetString(texts + offset, size).TrimEnd(' ', '\0');
    }
}
