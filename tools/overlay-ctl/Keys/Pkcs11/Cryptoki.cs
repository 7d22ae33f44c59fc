using System;
using System.Runtime.InteropServices;

namespace Overlay.Ctl.Keys.Pkcs11;

/// <summary>
/// The functions of a PKCS #11 module (OASIS PKCS #11 v2.40, section 5) that unlocking needs, by their places in CK_FUNCTION_LIST. CK_ULONG is the
/// platform's unsigned long, structures are aligned as C's on Unix.
/// </summary>
internal sealed unsafe class Cryptoki : IDisposable
{
    internal const nuint Ok = 0, AlreadyInitialized = 0x191, PinIncorrect = 0xA0, PinLocked = 0xA4, PinLength = 0xA2, AlreadyLoggedIn = 0x100;

    // SoftHSM answers a padding that is wrong with a general error.
    private const nuint InvalidData = 0x40, InvalidDataLength = 0x41, GeneralError = 5;

    // CK_FUNCTION_LIST begins with a version of two bytes; pointers follow at the next multiple of 8.
    private const int FirstFunction = 8;
    private const int InitializePlace = 0, FinalizePlace = 1, GetSlotListPlace = 4, GetTokenInfoPlace = 6, OpenSessionPlace = 12, CloseSessionPlace = 13,
        LoginPlace = 18, FindObjectsInitPlace = 26, FindObjectsPlace = 27, FindObjectsFinalPlace = 28,
        EncryptInitPlace = 29, EncryptPlace = 30, DecryptInitPlace = 33, DecryptPlace = 34;

    private readonly nint _library;
    private readonly byte* _functions;
    private readonly bool _isOurs;

    /// <exception cref="ControlException">There is no such library, or it is no PKCS #11 module.</exception>
    internal Cryptoki(string modulePath)
    {
        if (!NativeLibrary.TryLoad(modulePath, out _library) || !NativeLibrary.TryGetExport(_library, "C_GetFunctionList", out nint getList))
            throw new ControlException(ExitCodes.Key, $"the PKCS #11 module {modulePath} cannot be loaded, or is none; name it by module-path in the URI, or by OVERLAY_PKCS11_MODULE.");
        byte* functions = null;
        Check(((delegate* unmanaged<byte**, nuint>)getList)(&functions), "asking the module for its functions");
        _functions = functions;
        nuint result = ((delegate* unmanaged<void*, nuint>)Function(InitializePlace))(null);
        if (result != AlreadyInitialized)
            Check(result, "starting the module");
        _isOurs = result == Ok;
    }

    internal nuint[] SlotsWithToken()
    {
        nuint count = 0;
        delegate* unmanaged<byte, nuint*, nuint*, nuint> getSlots = (delegate* unmanaged<byte, nuint*, nuint*, nuint>)Function(GetSlotListPlace);
        Check(getSlots(1, null, &count), "listing tokens");
        nuint[] slots = new nuint[count];
        fixed (nuint* first = slots)
            Check(getSlots(1, first, &count), "listing tokens");
        return slots[..(int)Math.Min(count, (nuint)slots.Length)];
    }

    internal TokenInfo GetTokenInfo(nuint slot)
    {
        TokenInfo info;
        Check(((delegate* unmanaged<nuint, TokenInfo*, nuint>)Function(GetTokenInfoPlace))(slot, &info), "looking at a token");
        return info;
    }

    internal nuint OpenSession(nuint slot)
    {
        const nuint Serial = 4;
        nuint session;
        Check(((delegate* unmanaged<nuint, nuint, void*, void*, nuint*, nuint>)Function(OpenSessionPlace))(slot, Serial, null, null, &session), "opening a session");
        return session;
    }

    internal void CloseSession(nuint session) => _ = ((delegate* unmanaged<nuint, nuint>)Function(CloseSessionPlace))(session);

    internal nuint Login(nuint session, ReadOnlySpan<byte> pin)
    {
        const nuint User = 1;
        fixed (byte* text = pin)
            return ((delegate* unmanaged<nuint, nuint, byte*, nuint, nuint>)Function(LoginPlace))(session, User, text, (nuint)pin.Length);
    }

    /// <summary>Objects that have these attributes, at most so many.</summary>
    internal nuint[] Find(nuint session, ReadOnlySpan<CkAttribute> attributes, int most)
    {
        fixed (CkAttribute* first = attributes)
            Check(((delegate* unmanaged<nuint, CkAttribute*, nuint, nuint>)Function(FindObjectsInitPlace))(session, first, (nuint)attributes.Length), "looking for the key");
        nuint[] found = new nuint[most];
        nuint count;
        nuint result;
        fixed (nuint* first = found)
            result = ((delegate* unmanaged<nuint, nuint*, nuint, nuint*, nuint>)Function(FindObjectsPlace))(session, first, (nuint)most, &count);
        _ = ((delegate* unmanaged<nuint, nuint>)Function(FindObjectsFinalPlace))(session);
        Check(result, "looking for the key");
        return found[..(int)count];
    }

    internal byte[] Encrypt(nuint session, CkMechanism mechanism, nuint key, ReadOnlySpan<byte> plain)
    {
        Check(((delegate* unmanaged<nuint, CkMechanism*, nuint, nuint>)Function(EncryptInitPlace))(session, &mechanism, key), "encrypting with the token's key");
        nuint result = Transform(EncryptPlace, session, plain, out byte[] text);
        Check(result, "encrypting with the token's key");
        return text;
    }

    /// <summary>Null: this is not encrypted with the key, or was changed.</summary>
    internal byte[]? TryDecrypt(nuint session, CkMechanism mechanism, nuint key, ReadOnlySpan<byte> text)
    {
        Check(((delegate* unmanaged<nuint, CkMechanism*, nuint, nuint>)Function(DecryptInitPlace))(session, &mechanism, key), "decrypting with the token's key");
        nuint result = Transform(DecryptPlace, session, text, out byte[] plain);
        if (result is InvalidData or InvalidDataLength or GeneralError)
            return null;
        Check(result, "decrypting with the token's key");
        return plain;
    }

    public void Dispose()
    {
        // The library stays loaded: modules are known to leave threads behind.
        if (_isOurs)
            _ = ((delegate* unmanaged<void*, nuint>)Function(FinalizePlace))(null);
    }

    internal static void Check(nuint result, string what)
    {
        if (result != Ok)
            throw new ControlException(ExitCodes.Key, $"{what} failed: PKCS #11 error 0x{result:x}.");
    }

    private nuint Transform(int place, nuint session, ReadOnlySpan<byte> input, out byte[] exact)
    {
        const int Most = 1024; // an RSA key of 8192 bits
        byte[] output = GC.AllocateUninitializedArray<byte>(Most, pinned: true);
        nuint length = Most;
        nuint result;
        fixed (byte* source = input, target = output)
            result = ((delegate* unmanaged<nuint, byte*, nuint, byte*, nuint*, nuint>)Function(place))(session, source, (nuint)input.Length, target, &length);
        exact = GC.AllocateUninitializedArray<byte>(result == Ok ? (int)length : 0, pinned: true);
        output.AsSpan(0, exact.Length).CopyTo(exact);
        Crypto.Secret.Wipe(output);
        return result;
    }

    private void* Function(int place) => *(void**)(_functions + FirstFunction + place * sizeof(void*));
}
